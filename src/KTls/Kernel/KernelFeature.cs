using KTls.Kernel;

namespace KTls;

/// <summary>Whether the kernel has a feature, found by trying.</summary>
/// <param name="IsAvailable">Whether it has.</param>
/// <param name="Errno">The error number of the refusal (errno(3)); 0 when it has the feature, or when it could not be tried.</param>
/// <param name="Reason">Why not, in one sentence for a person; null when it has the feature.</param>
public readonly record struct KernelFeature(bool IsAvailable, int Errno, string? Reason)
{
    internal static KernelFeature Available => new(true, 0, null);

    /// <summary>"yes", or "no" with the error's name.</summary>
    /// <returns>The words.</returns>
    public override string ToString() => IsAvailable ? "yes" : Errno == 0 ? "no" : $"no ({ErrorNumber.NameOf(Errno)})";

    internal static KernelFeature Of(string call, int errno) =>
        errno == 0 ? Available : new(false, errno, new KernelTlsException(call, errno).Message);

    internal static KernelFeature NotTried(string reason) => new(false, 0, reason);
}
