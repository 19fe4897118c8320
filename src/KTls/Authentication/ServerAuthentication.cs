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
    public static Task<Connection> RunAsync(KTlsStream sender, Socket socket, SslServerAuthenticationOptions options, HandshakeAttempt attempt)
    {
        ServerOptions.RequireOneSourceOfCertificates(options, attempt.Options.ServerCredentials);
        Obstacle? whyNotKernel = Transport.KnownObstacle;
        Decision decision = attempt.Decide(Obstacle.OfOptions(ServerOptions.WhyOnlySslStream(options)), whyNotKernel);
        return decision.Choice >= Choice.SslStream
            ? FallBackAsync(socket, replay: default, options, chosen: null, decision, attempt)
            : ServeAsync(sender, socket, options, decision, whyNotKernel, attempt);
    }

    private static async Task<Connection> ServeAsync(
        KTlsStream sender, Socket socket, SslServerAuthenticationOptions options, Decision decision, Obstacle? whyNotKernel, HandshakeAttempt attempt)
    {
        KernelSocket transport = Transport.Open(socket, attach: decision.Choice == Choice.Kernel, ref whyNotKernel);
        decision = attempt.Decide(handshake: null, whyNotKernel);
        if (decision.Choice >= Choice.SslStream)
        {
            Transport.Release(transport, socket);
            return await FallBackAsync(socket, replay: default, options, chosen: null, decision, attempt).ConfigureAwait(false);
        }

        bool isServed = false;
        using var handshake = new ServerHandshake(attempt.Options.HandshakeLimits);
        try
        {
            using var driver = new HandshakeDriver(transport) { KeepsReceived = true };
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            ClientHello hello = handshake.ClientHello!;
            (ServerHandshakeOptions? chosen, Obstacle? whyNotUs, SslStreamCertificateContext? forSslStream) = await ChooseAsync(sender, options, handshake, driver, attempt).ConfigureAwait(false);
            if (chosen is null)
            {
                decision = attempt.Decide(whyNotUs, whyNotKernel);
                byte[] replay = driver.Received.ToArray();

                // Not held while SslStream waits for the client.
                driver.Dispose();
                handshake.Dispose();
                Transport.Release(transport, socket);
                isServed = true;
                return await FallBackAsync(socket, replay, options, forSslStream, decision, attempt).ConfigureAwait(false);
            }

            driver.KeepsReceived = false;
            await AcceptAsync(handshake, driver, chosen, attempt.Token).ConfigureAwait(false);
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            await JudgeAsync(sender, handshake, driver, options, attempt.Token).ConfigureAwait(false);
            Connection connection = Establishment.Establish(handshake, driver, transport, socket, decision, ServerOptions.UnicodeName(hello), sessions: null, attempt);
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
    private static async ValueTask<(ServerHandshakeOptions? Options, Obstacle? WhyNot, SslStreamCertificateContext? ForSslStream)> ChooseAsync(
        KTlsStream sender, SslServerAuthenticationOptions options, ServerHandshake handshake, HandshakeDriver driver, HandshakeAttempt attempt)
    {
        AlertDescription alert = AlertDescription.InternalError;
        try
        {
            (ServerHandshakeOptions? ours, Obstacle? whyNot) = Choose(sender, options, handshake.ClientHello!, attempt.Options);
            SslStreamCertificateContext? forSslStream = null;
            if (whyNot is { } obstacle)
            {
                alert = obstacle.Reason == FallbackReason.ProtocolVersion ? AlertDescription.ProtocolVersion : AlertDescription.HandshakeFailure;
                attempt.ThrowIfRefused(attempt.Decide(obstacle, kernel: null));
                forSslStream = FallbackCredentials.Choose(attempt.Options.ServerCredentials, handshake.ClientHello!, obstacle.Text);
            }

            return (ours, whyNot, forSslStream);
        }
        catch (Exception e)
        {
            await driver.FailAsync(handshake, (e as TlsAlertException)?.Description ?? alert, attempt.Token).ConfigureAwait(false);
            throw;
        }
    }

    private static (ServerHandshakeOptions? Options, Obstacle? WhyNot) Choose(KTlsStream sender, SslServerAuthenticationOptions options, ClientHello hello, KTlsOptions kernelOptions)
    {
        if (options.AllowRenegotiation && !hello.OffersTls13)
        {
            return (null, Obstacle.OfOptions("AllowRenegotiation is set, for a client of TLS 1.2"));
        }

        if (kernelOptions.ServerCredentials is { } credentials)
        {
            return Choose(credentials, options, hello, kernelOptions);
        }

        if (!ServerOptions.TryGetCredential(sender, options, ServerOptions.UnicodeName(hello), out CertificateCredential? credential, out string? reason))
        {
            return (null, new Obstacle(FallbackReason.Certificate, reason!));
        }

        ServerHandshakeOptions translated = ServerOptions.Translate(options, kernelOptions, credential);
        return translated.FindObstacle(hello) is { } obstacle ? (null, Obstacle.Of(obstacle)) : (translated, null);
    }

    private static (ServerHandshakeOptions? Options, Obstacle? WhyNot) Choose(ServerCredentials credentials, SslServerAuthenticationOptions options, ClientHello hello, KTlsOptions kernelOptions)
    {
        ServerHandshakeOptions? translated = null;
        HandshakeObstacle? obstacle = null;
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

        return refusal == AlertDescription.UnrecognizedName ? throw FallbackCredentials.UnrecognizedName() : (null, Obstacle.Of(obstacle!.Value));
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

    private static Task<Connection> FallBackAsync(
        Socket socket, ReadOnlyMemory<byte> replay, SslServerAuthenticationOptions options, SslStreamCertificateContext? chosen, Decision decision, HandshakeAttempt attempt)
    {
        attempt.ThrowIfRefused(decision);
        Obstacle obstacle = decision.Obstacle!;
        attempt.TellOfFallback(obstacle);
        return SslStreamConnection.AuthenticateAsync(
            socket,
            replay,
            stream => chosen is not null ? stream.AuthenticateAsServerAsync(FallbackCredentials.WithContext(options, chosen), attempt.Token)
                : attempt.Options.ServerCredentials is { } credentials ? FallbackCredentials.AuthenticateAsync(stream, credentials, options, obstacle.Text, attempt.Token)
                : stream.AuthenticateAsServerAsync(options, attempt.Token),
            obstacle,
            attempt.Options);
    }
}
