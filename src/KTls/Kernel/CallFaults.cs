using System.Runtime.InteropServices;

namespace KTls.Kernel;

/// <summary>
/// The one place where tests make system calls fail, for failures that no real kernel produces on demand. Nothing else sets it.
/// </summary>
internal static class CallFaults
{
    /// <summary>Gets the descriptor, the call and the socket option, if it is one. Returns the errno to fail with; 0: the call is made.</summary>
    internal static Func<SafeHandle, string, int, int>? Next { get; set; }

    /// <summary>Whether the call fails without being made; then the errno is set as the call would have set it.</summary>
    internal static bool Fails(SafeHandle descriptor, string call, int option = 0)
    {
        if (Next?.Invoke(descriptor, call, option) is not (> 0 and int errno))
        {
            return false;
        }

        Marshal.SetLastPInvokeError(errno);
        return true;
    }
}
