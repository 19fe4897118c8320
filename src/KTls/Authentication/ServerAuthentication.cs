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
            if (WhyOnlySslStream(sender, options, handshake.ClientHello!, out CertificateCredential? credential) is { } whyNot)
            {
                driver.Replay.Write(driver.Unconsumed);
                Transport.Release(transport, socket);
                isServed = true;
                return await FallBackAsync(socket, driver.Replay.WrittenMemory, options, whyNot, attempt).ConfigureAwait(false);
            }

            driver.Replay = null;
            await AcceptAsync(handshake, driver, ServerOptions.Translate(options, credential!), attempt.Token).ConfigureAwait(false);
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            Connection connection = Establishment.Establish(handshake, driver, transport, socket, (null, handshake.ClientHello!.ServerName), attempt);
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

    private static string? WhyOnlySslStream(KTlsStream sender, SslServerAuthenticationOptions options, ClientHello hello, out CertificateCredential? credential)
    {
        credential = null;
        if (!hello.OffersTls13)
        {
            return "the client does not offer TLS 1.3";
        }

        if (!SharedOptions.CipherSuites(options.CipherSuitesPolicy).Any(hello.Offers))
        {
            return "the client offers no cipher suite that KTls has";
        }

        if (!SupportedParameters.Groups.Any(hello.Offers))
        {
            return "the client offers no group that KTls has";
        }

        return ServerOptions.TryGetCredential(sender, options, hello.ServerName, out credential, out string? reason) ? null : reason;
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
