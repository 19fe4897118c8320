using KTls.Diagnostics;
using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Extensions.Logging;

namespace KTls.DataPlane;

/// <summary>The planes that a connection starts with. Each direction is decided on its own.</summary>
internal readonly record struct DataPlanes(SendPlane Send, ReceivePlane Receive, bool HandOverAtBoundary, bool RequireKernel)
{
    /// <summary>Gives the keys to the kernel as far as the options allow and the kernel takes them.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="session">The keys.</param>
    /// <param name="early">What was received beyond the handshake.</param>
    /// <param name="options">Who may seal and open.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="KernelTlsException">The kernel refuses, and the options require it.</exception>
    public static DataPlanes Install(KernelSocket socket, TlsSession session, ReadOnlySpan<byte> early, KTlsOptions options, ILogger logger)
    {
        bool requireKernel = options.DataPlane == DataPlanePolicy.RequireKernel;
        KernelDirections wanted = options.DataPlane == DataPlanePolicy.UserSpace ? KernelDirections.None : options.KernelDirections;

        // Nothing that can fail may follow once the kernel has a direction's keys, so each plane is made right after.
        SendPlane send;
        using (RecordKeys keys = session.GetSendKeys())
        {
            send = TryInstall(socket, KernelDirections.Send, wanted, keys, requireKernel, logger, out string reason)
                ? new KernelSendPlane(socket, keys)
                : new UserSendPlane(socket, keys, reason);
        }

        try
        {
            using RecordKeys keys = session.GetReceiveKeys();
            if ((wanted & KernelDirections.Receive) != 0 && WhyReceiveInUserSpace(session, options) is { } whyNot)
            {
                Log.NoRekey(logger, whyNot);
                Instruments.FallsBack(FallbackReason.NoRekey, KernelDirections.Receive);
                return new DataPlanes(send, new UserReceivePlane(socket, keys, early, untilBoundary: false, whyNot), HandOverAtBoundary: false, requireKernel);
            }

            if (!early.IsEmpty && (wanted & KernelDirections.Receive) != 0)
            {
                var first = new UserReceivePlane(socket, keys, early, untilBoundary: true, "Records came with the end of the handshake; the kernel takes over when they are read.");
                return new DataPlanes(send, first, HandOverAtBoundary: true, requireKernel);
            }

            ReceivePlane receive = TryInstall(socket, KernelDirections.Receive, wanted, keys, requireKernel, logger, out string reason)
                ? new KernelReceivePlane(socket, keys, options.ExpectPadding)
                : new UserReceivePlane(socket, keys, early, untilBoundary: false, reason);
            return new DataPlanes(send, receive, HandOverAtBoundary: false, requireKernel);
        }
        catch
        {
            send.Dispose();
            throw;
        }
    }

    // A peer may change its keys at any time, and only where the kernel can follow is it safe to leave receiving to it.
    private static string? WhyReceiveInUserSpace(TlsSession session, KTlsOptions options) =>
        session.CanUpdateKeys
        && options is { DataPlane: not DataPlanePolicy.RequireKernel, ReceiveWithoutRekey: ReceiveWithoutRekey.UserSpace }
        && KernelKeys.CipherOf(session.CipherSuite) is { } cipher
        && !RekeySupport.IsAvailable(cipher)
            ? "This kernel cannot change keys, which a KeyUpdate of the peer would need (Linux 6.14 or later can)."
            : null;

    private static bool TryInstall(KernelSocket socket, KernelDirections direction, KernelDirections wanted, RecordKeys keys, bool requireKernel, ILogger logger, out string reason)
    {
        if ((wanted & direction) == 0)
        {
            reason = "The options say so.";
            Instruments.FallsBack(FallbackReason.SwitchedOff, direction);
            return false;
        }

        bool isSend = direction == KernelDirections.Send;
        int errno = KernelKeys.Install(socket, isSend ? KernelDirection.Send : KernelDirection.Receive, keys, keys.Sequence);
        if (errno == 0)
        {
            reason = string.Empty;
            return true;
        }

        KernelTlsException refusal = SocketFailure.ToRefusal(isSend ? KernelCalls.SetSendKeys : KernelCalls.SetReceiveKeys, errno);
        if (requireKernel)
        {
            throw refusal;
        }

        reason = refusal.Message;
        Log.KernelRefusesKeys(logger, direction, reason);
        Instruments.FallsBack(FallbackReason.KeysRefused, direction);
        return false;
    }
}
