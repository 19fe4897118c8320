using KTls.Diagnostics;
using KTls.Fallback;
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
    /// <param name="decision">Whether it is to be the kernel.</param>
    /// <param name="options">The directions that the kernel may take over, and what becomes of a refusal.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="KernelTlsException">The kernel refuses, and the options require it.</exception>
    public static DataPlanes Install(KernelSocket socket, TlsSession session, ReadOnlySpan<byte> early, Decision decision, KTlsOptions options, ILogger logger)
    {
        bool requireKernel = options.DataPlane == DataPlanePolicy.RequireKernel;
        KernelDirections wanted = decision.Choice == Choice.Kernel ? options.KernelDirections : KernelDirections.None;
        Obstacle unwanted = decision.Obstacle ?? Obstacle.SwitchedOff;

        // Nothing that can fail may follow once the kernel has a direction's keys, so each plane is made right after.
        SendPlane send;
        using (RecordKeys keys = session.GetSendKeys())
        {
            send = TryInstall(socket, KernelDirections.Send, keys) is { } obstacle ? new UserSendPlane(socket, keys, obstacle) : new KernelSendPlane(socket, keys);
        }

        try
        {
            using RecordKeys keys = session.GetReceiveKeys();
            if ((wanted & KernelDirections.Receive) != 0 && MustReceiveInUserSpace(session, options))
            {
                Log.NoRekey(logger, Obstacle.NoRekey.Text);
                Instruments.FallsBack(FallbackReason.NoRekey, KernelDirections.Receive);
                return new DataPlanes(send, new UserReceivePlane(socket, keys, early, untilBoundary: false, Obstacle.NoRekey), HandOverAtBoundary: false, requireKernel);
            }

            if (!early.IsEmpty && (wanted & KernelDirections.Receive) != 0)
            {
                var first = new UserReceivePlane(socket, keys, early, untilBoundary: true, Obstacle.EarlyRecords);
                return new DataPlanes(send, first, HandOverAtBoundary: true, requireKernel);
            }

            ReceivePlane receive = TryInstall(socket, KernelDirections.Receive, keys) is { } obstacle
                ? new UserReceivePlane(socket, keys, early, untilBoundary: false, obstacle)
                : new KernelReceivePlane(socket, keys, options.ExpectPadding);
            return new DataPlanes(send, receive, HandOverAtBoundary: false, requireKernel);
        }
        catch
        {
            send.Dispose();
            throw;
        }

        // Null when the kernel has the keys.
        Obstacle? TryInstall(KernelSocket socket, KernelDirections direction, RecordKeys keys)
        {
            if ((wanted & direction) == 0)
            {
                Instruments.FallsBack(unwanted.Reason, direction);
                return unwanted;
            }

            bool isSend = direction == KernelDirections.Send;
            int errno = KernelKeys.Install(socket, isSend ? KernelDirection.Send : KernelDirection.Receive, keys, keys.Sequence);
            if (errno == 0)
            {
                return null;
            }

            KernelTlsException refusal = SocketFailure.ToRefusal(isSend ? KernelCalls.SetSendKeys : KernelCalls.SetReceiveKeys, errno);
            if (requireKernel)
            {
                throw refusal;
            }

            var obstacle = Obstacle.KeysRefused(refusal);
            Log.KernelRefusesKeys(logger, direction, obstacle.Text);
            Instruments.FallsBack(obstacle.Reason, direction);
            return obstacle;
        }
    }

    // A peer may change its keys at any time, and only where the kernel can follow is it safe to leave receiving to it.
    private static bool MustReceiveInUserSpace(TlsSession session, KTlsOptions options) =>
        session.CanUpdateKeys
        && options is { DataPlane: not DataPlanePolicy.RequireKernel, ReceiveWithoutRekey: ReceiveWithoutRekey.UserSpace }
        && KernelKeys.CipherOf(session.CipherSuite) is { } cipher
        && !RekeySupport.IsAvailable(cipher);
}
