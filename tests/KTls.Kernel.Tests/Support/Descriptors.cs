namespace KTls.Kernel.Tests.Support;

/// <summary>The sockets and epoll instances of this process; other descriptors come and go with the runtime's own work.</summary>
internal static class Descriptors
{
    /// <summary>How many are open.</summary>
    public static int Count() => Directory.GetFileSystemEntries("/proc/self/fd").Count(IsOurKind);

    private static bool IsOurKind(string descriptor)
    {
        string? target = new FileInfo(descriptor).LinkTarget;
        return target is not null
            && (target.StartsWith("socket:", StringComparison.Ordinal) || target.Contains("eventpoll", StringComparison.Ordinal));
    }
}
