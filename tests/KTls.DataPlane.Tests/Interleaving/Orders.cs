namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>Every order of so many steps, one running into the next: a de Bruijn sequence, which has each exactly once.</summary>
internal static class Orders
{
    /// <param name="kinds">How many steps there are to choose from: the first of <see cref="Step"/>.</param>
    /// <param name="length">How many steps an order has, from 1.</param>
    public static Step[] Of(int kinds, int length)
    {
        // The Lyndon words whose lengths divide the orders' length, by Duval's algorithm from the first to the last.
        var steps = new List<Step>();
        List<int> word = [-1];
        while (word.Count != 0)
        {
            word[^1]++;
            if (length % word.Count == 0)
            {
                steps.AddRange(word.Select(kind => (Step)kind));
            }

            int period = word.Count;
            while (word.Count < length)
            {
                word.Add(word[^period]);
            }

            while (word.Count != 0 && word[^1] == kinds - 1)
            {
                word.RemoveAt(word.Count - 1);
            }
        }

        // The sequence is a circle.
        return [.. steps, .. steps.Take(length - 1)];
    }
}
