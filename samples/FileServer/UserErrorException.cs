namespace FileServer;

/// <summary>Something the user can put right: one clear line on standard error, and an exit code.</summary>
internal sealed class UserErrorException : Exception
{
    /// <summary>The command line or a file it names is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The machine refuses what is well asked for, such as a port in use.</summary>
    public const int Runtime = 1;

    public UserErrorException(string message, int exitCode = Usage)
        : base(message)
    {
        ExitCode = exitCode;
    }

    public int ExitCode { get; }
}
