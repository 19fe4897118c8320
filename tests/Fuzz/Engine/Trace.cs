namespace KTls.Fuzz;

/// <summary>Says what a script does, when a single input is run.</summary>
internal static class Trace
{
    public static bool IsOn { get; set; }

    public static void Write(string line)
    {
        if (IsOn)
        {
            Console.WriteLine(line);
        }
    }
}
