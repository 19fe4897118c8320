using KTls.Kernel;

namespace KTls;

/// <summary>Kernel TLS as this machine has it.</summary>
public static class KernelTls
{
    private static readonly Lock Trying = new();
    private static KernelTlsCapabilities? _known;

    /// <summary>
    /// Tells what this kernel can do. It is tried on connections of this process with itself, in some milliseconds, and then
    /// remembered for the length of the process: a module of a cipher that is loaded later is not noticed. Only where there is no
    /// kernel TLS at all is it tried again with each call, the module at most every ten seconds.
    /// </summary>
    /// <returns>What it can do, and why not where it cannot. Without kernel TLS that is said, and nothing is thrown.</returns>
    public static KernelTlsCapabilities Probe()
    {
        lock (Trying)
        {
            if (_known is not null)
            {
                return _known;
            }

            KernelTlsCapabilities found = CapabilityTrial.Run();
            if (found.IsAvailable)
            {
                _known = found;
            }

            return found;
        }
    }
}
