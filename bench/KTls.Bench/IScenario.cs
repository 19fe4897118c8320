namespace KTls.Bench;

/// <summary>One question that the benchmark answers with figures.</summary>
internal interface IScenario
{
    string Name { get; }

    /// <summary>The name and the options, for people.</summary>
    string Usage { get; }

    Task<Report> RunAsync(CommandLine options);
}
