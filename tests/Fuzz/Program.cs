namespace KTls.Fuzz;

/// <summary>The commands: README.md explains them.</summary>
internal static class Program
{
    public const int Passed = 0;
    public const int Failed = 1;

    private static int Main(string[] arguments)
    {
        // First of all: what is instrumented must not be loaded yet.
        if (arguments is ["instrument", string assembly])
        {
            Instrumentation.Apply(assembly);
            return Passed;
        }

        Coverage.Start();
        using BlackBox? box = Supervisor.OpenBlackBox();
        try
        {
            return box is null ? Supervisor.Run(arguments) : Commands.Run(CommandLine.Parse(arguments), box);
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            return Failed;
        }
    }
}
