using System.Net.Security;
using System.Net.Sockets;
using KTls.DataPlane;
using KTls.Diagnostics;
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
        ServerOptions.RequireOneSourceOfCertificates(options, attempt.Options.ServerCredentials);
        if ((attempt.Options.WhyOnlySslStream ?? ServerOptions.WhyOnlySslStream(options)) is { } reason)
        {
            return await FallBackAsync(socket, replay: default, hello: null, options, attempt.WhyOnlySslStream, reason, attempt).ConfigureAwait(false);
        }

        KernelSocket? transport = Transport.TryOpen(socket, attempt.Options.DataPlane, out reason);
        if (transport is null)
        {
            return await FallBackAsync(socket, replay: default, hello: null, options, FallbackReason.NoKernelTls, reason, attempt).ConfigureAwait(false);
        }

        bool isServed = false;
        using var handshake = new ServerHandshake(attempt.Options.HandshakeLimits);
        try
        {
            using var driver = new HandshakeDriver(transport) { KeepsReceived = true };
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            ClientHello hello = handshake.ClientHello!;
            (ServerHandshakeOptions? chosen, string? whyNot) = await ChooseAsync(sender, options, handshake, driver, attempt).ConfigureAwait(false);
            if (chosen is null)
            {
                byte[] replay = driver.Received.ToArray();
                Transport.Release(transport, socket);
                isServed = true;
                return await FallBackAsync(socket, replay, hello, options, FallbackReason.Peer, whyNot!, attempt).ConfigureAwait(false);
            }

            driver.KeepsReceived = false;
            await AcceptAsync(handshake, driver, chosen, attempt.Token).ConfigureAwait(false);
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            await JudgeAsync(sender, handshake, driver, options, attempt.Token).ConfigureAwait(false);
            Connection connection = Establishment.Establish(handshake, driver, transport, socket, ServerOptions.UnicodeName(hello), sessions: null, attempt);
            isServed = true;
            return connection;
        }
        finally
        {
            if (!isServed)
            {
                handshake.PeerCertificate?.Dispose();
                Transport.Release(transport, socket);
            }
        }
    }

    // Whatever goes wrong at the choice, or forbids SslStream, the client is told: it has sent its ClientHello and waits.
    private static async ValueTask<(ServerHandshakeOptions? Options, string? WhyNot)> ChooseAsync(
        KTlsStream sender, SslServerAuthenticationOptions options, ServerHandshake handshake, HandshakeDriver driver, HandshakeAttempt attempt)
    {
        AlertDescription alert = AlertDescription.InternalError;
        try
        {
            (ServerHandshakeOptions? Options, string? WhyNot) choice = Choose(sender, options, handshake.ClientHello!, attempt.Options);
            if (choice.Options is null)
            {
                alert = AlertDescription.HandshakeFailure;
                Transport.ThrowIfRequired(attempt.Options.DataPlane, choice.WhyNot!);
                FallbackCredentials.ThrowIfNone(attempt.Options.ServerCredentials, handshake.ClientHello!, choice.WhyNot!);
            }

            return choice;
        }
        catch (Exception e)
        {
            await driver.FailAsync(handshake, (e as TlsAlertException)?.Description ?? alert, attempt.Token).ConfigureAwait(false);
            throw;
        }
    }

    private static (ServerHandshakeOptions? Options, string? WhyNot) Choose(KTlsStream sender, SslServerAuthenticationOptions options, ClientHello hello, KTlsOptions kernelOptions)
    {
        if (options.AllowRenegotiation && !hello.OffersTls13)
        {
            return (null, "AllowRenegotiation is set, for a client of TLS 1.2");
        }

        if (kernelOptions.ServerCredentials is { } credentials)
        {
            return Choose(credentials, options, hello, kernelOptions);
        }

        if (!ServerOptions.TryGetCredential(sender, options, ServerOptions.UnicodeName(hello), out CertificateCredential? credential, out string? reason))
        {
            return (null, reason);
        }

        ServerHandshakeOptions translated = ServerOptions.Translate(options, kernelOptions, credential);
        return translated.FindObstacle(hello) is { } obstacle ? (null, obstacle) : (translated, null);
    }

    private static (ServerHandshakeOptions? Options, string? WhyNot) Choose(ServerCredentials credentials, SslServerAuthenticationOptions options, ClientHello hello, KTlsOptions kernelOptions)
    {
        ServerHandshakeOptions? translated = null;
        string? obstacle = null;
        bool Fits(CertificateCredential credential)
        {
            translated = ServerOptions.Translate(options, kernelOptions, credential);
            obstacle = translated.FindObstacle(hello);
            return obstacle is null;
        }

        if (credentials.TrySelect(hello.ServerName, Fits, out _, out AlertDescription refusal))
        {
            return (translated, null);
        }

        return refusal == AlertDescription.UnrecognizedName ? throw FallbackCredentials.UnrecognizedName() : (null, obstacle);
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
            // The handshake is complete without the client's certificate: no alert of the handshake is left to send.
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

    private static Task<Connection> FallBackAsync(Socket socket, ReadOnlyMemory<byte> replay, ClientHello? hello, SslServerAuthenticationOptions options, FallbackReason kind, string reason, HandshakeAttempt attempt)
    {
        Transport.ThrowIfRequired(attempt.Options.DataPlane, reason);
        Log.FallsBack(attempt.Logger, reason);
        Instruments.FallsBack(kind);
        return SslStreamConnection.AuthenticateAsync(
            socket,
            replay,
            stream => attempt.Options.ServerCredentials is { } credentials
                ? FallbackCredentials.AuthenticateAsync(stream, credentials, hello, options, reason, attempt.Token)
                : stream.AuthenticateAsServerAsync(options, attempt.Token),
            reason,
            attempt.Options);
    }
}
