using System.Collections.Concurrent;

namespace RekeyStress;

/// <summary>Everything that was wrong.</summary>
internal sealed class Findings
{
    // The first ones tell what is the matter; one mistake makes many.
    private const int MaxShown = 20;

    private readonly ConcurrentQueue<string> _shown = new();
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public IEnumerable<string> Shown => _shown;

    public void Add(string who, string what)
    {
        if (Interlocked.Increment(ref _count) <= MaxShown)
        {
            _shown.Enqueue($"{who}: {what}");
        }
    }
}
