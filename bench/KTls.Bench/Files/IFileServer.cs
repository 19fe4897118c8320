namespace KTls.Bench.Files;

/// <summary>A server of files in processes of its own, whose processor time can be told.</summary>
internal interface IFileServer : IDisposable
{
    /// <summary>Its name in the report.</summary>
    string Name { get; }

    /// <summary>Where it listens.</summary>
    int Port { get; }

    /// <summary>Whether it speaks TLS.</summary>
    bool IsTls { get; }

    /// <summary>Processor time of all its processes until now.</summary>
    TimeSpan Cpu();
}
