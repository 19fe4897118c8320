namespace KTls.Kernel;

/// <summary>Attaches kernel TLS, and remembers for a while when the kernel has none.</summary>
internal static class KernelTlsModule
{
    // Every attempt makes the kernel look for the module again, which can start a process (request_module).
    private const long RetryAfterMilliseconds = 10_000;

    // Environment.TickCount64 of the attempt that is due next; 0: at once.
    private static long _nextAttempt;

    /// <summary>Whether an attempt is of no use: another one has found no module a moment ago.</summary>
    public static bool IsKnownToBeMissing => Volatile.Read(ref _nextAttempt) is not 0 and var next && Environment.TickCount64 < next;

    /// <summary>Attaches kernel TLS to a connected socket.</summary>
    /// <param name="socket">The socket.</param>
    /// <returns>Null when it is attached, else why it is not.</returns>
    public static KernelTlsException? TryAttach(KernelSocket socket)
    {
        if (IsKnownToBeMissing)
        {
            return new KernelTlsException(KernelCalls.AttachUlp, ErrorNumber.ENOENT);
        }

        int errno = socket.AttachUlp();
        if (errno == 0)
        {
            return null;
        }

        if (errno == ErrorNumber.ENOENT)
        {
            Volatile.Write(ref _nextAttempt, Environment.TickCount64 + RetryAfterMilliseconds);
        }

        return SocketFailure.ToRefusal(KernelCalls.AttachUlp, errno);
    }
}
