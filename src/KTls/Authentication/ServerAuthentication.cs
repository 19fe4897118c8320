using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using KTls.DataPlane;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;
using KTls.Options;

namespace KTls.Authentication;

/// <summary>A server's way from a connected socket to a connection.</summary>
internal static class ServerAuthentication
{
    public static async Task<Connection> RunAsync(KTlsStream sender, Socket socket, SslServerAuthenticationOptions options, HandshakeAttempt attempt)
    {
        if ((attempt.Options.WhyOnlySslStream ?? ServerOptions.WhyOnlySslStream(options)) is { } reason)
        {
            return await FallBackAsync(socket, replay: default, options, reason, attempt).ConfigureAwait(false);
        }

        KernelSocket? transport = Transport.TryOpen(socket, attempt.Options.DataPlane, out reason);
        if (transport is null)
        {
            return await FallBackAsync(socket, replay: default, options, reason, attempt).ConfigureAwait(false);
        }

        bool isServed = false;
        try
        {
            using var handshake = new ServerHandshake();
            using var driver = new HandshakeDriver(transport) { Replay = new ArrayBufferWriter<byte>(1024) };
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            (ServerHandshakeOptions? chosen, string? whyNot) = Choose(sender, options, handshake.ClientHello!, attempt.Options);
            if (chosen is null)
            {
                driver.Replay.Write(driver.Unconsumed);
                Transport.Release(transport, socket);
                isServed = true;
                return await FallBackAsync(socket, driver.Replay.WrittenMemory, options, whyNot!, attempt).ConfigureAwait(false);
            }

            driver.Replay = null;
            await AcceptAsync(handshake, driver, chosen, attempt.Token).ConfigureAwait(false);
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            await JudgeAsync(sender, handshake, driver, options, attempt.Token).ConfigureAwait(false);
            Connection connection = Establishment.Establish(handshake, driver, transport, socket, handshake.ClientHello!.ServerName, sessions: null, attempt);
            isServed = true;
            return connection;
        }
        finally
        {
            if (!isServed)
            {
                Transport.Release(transport, socket);
            }
        }
    }

    private static (ServerHandshakeOptions? Options, string? WhyNot) Choose(KTlsStream sender, SslServerAuthenticationOptions options, ClientHello hello, KTlsOptions kernelOptions)
    {
        if (options.AllowRenegotiation && !hello.OffersTls13)
        {
            return (null, "AllowRenegotiation is set, for a client of TLS 1.2");
        }

        if (!ServerOptions.TryGetCredential(sender, options, hello.ServerName, out CertificateCredential? credential, out string? reason))
        {
            return (null, reason);
        }

        ServerHandshakeOptions translated = ServerOptions.Translate(options, kernelOptions, credential);
        return translated.FindObstacle(hello) is { } obstacle ? (null, obstacle) : (translated, null);
    }

    private static async ValueTask JudgeAsync(KTlsStream sender, ServerHandshake handshake, HandshakeDriver driver, SslServerAuthenticationOptions options, CancellationToken cancellationToken)
    {
        var criteria = new PeerVerdict.Criteria(
            sender, TargetHost: null, options.ClientCertificateRequired, options.CertificateChainPolicy,
            options.CertificateRevocationCheckMode, options.RemoteCertificateValidationCallback);
        if (handshake.Status == HandshakeStatus.NeedsCertificateVerdict)
        {
            await PeerVerdict.ReachAsync(handshake, driver, criteria, cancellationToken).ConfigureAwait(false);
            await driver.RunAsync(handshake, cancellationToken).ConfigureAwait(false);
        }
        else if (criteria.Callback is not null)
        {
            AlertDescription alert = default;
            PeerVerdict.JudgeNone(criteria, ref alert);
        }
    }

    private static async ValueTask AcceptAsync(ServerHandshake handshake, HandshakeDriver driver, ServerHandshakeOptions options, CancellationToken cancellationToken)
    {
        try
        {
            handshake.Accept(options);
        }
        catch (TlsAlertException)
        {
            await driver.SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    private static Task<Connection> FallBackAsync(Socket socket, ReadOnlyMemory<byte> replay, SslServerAuthenticationOptions options, string reason, HandshakeAttempt attempt)
    {
        Transport.ThrowIfRequired(attempt.Options.DataPlane, reason);
        Log.FallsBack(attempt.Logger, reason);
        return SslStreamConnection.AuthenticateAsync(
            socket, replay, stream => stream.AuthenticateAsServerAsync(options, attempt.Token), reason, attempt.Options.LeaveSocketOpen);
    }
}
