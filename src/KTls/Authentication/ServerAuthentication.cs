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
    public static Task<Connection> RunAsync(KTlsStream sender, Socket socket, ServerOptionsSource source, HandshakeAttempt attempt)
    {
        Obstacle? whyNotUs = source.KnownObstacle(attempt.Options.ServerCredentials);
        Obstacle? whyNotKernel = Transport.KnownObstacle;
        Decision decision = attempt.Decide(whyNotUs, whyNotKernel);
        return decision.Choice >= Choice.SslStream
            ? FallBackUnreadAsync(socket, source, decision, attempt)
            : ServeAsync(sender, socket, source, decision, whyNotKernel, attempt);
    }

    private static async Task<Connection> ServeAsync(
        KTlsStream sender, Socket socket, ServerOptionsSource source, Decision decision, Obstacle? whyNotKernel, HandshakeAttempt attempt)
    {
        KernelSocket transport = Transport.Open(socket, attach: decision.Choice == Choice.Kernel, ref whyNotKernel);
        decision = attempt.Decide(handshake: null, whyNotKernel);
        if (decision.Choice >= Choice.SslStream)
        {
            transport.Dispose();
            return await FallBackUnreadAsync(socket, source, decision, attempt).ConfigureAwait(false);
        }

        bool isServed = false;
        using var handshake = new ServerHandshake(attempt.Options.HandshakeLimits);
        try
        {
            // Records of a byte each would make six times the message of it. Nobody who means it needs more for them than for the message.
            using var driver = new HandshakeDriver(transport) { KeepsAtMost = 2L * attempt.Options.HandshakeLimits.MaxMessageSize };
            await driver.RunAsync(handshake, attempt.Time).ConfigureAwait(false);
            sender.HostOfHandshake = ServerOptions.UnicodeName(handshake.ClientHello!);
            Selection selection = await SelectAsync(sender, source, handshake, driver, attempt).ConfigureAwait(false);
            if (selection.Ours is not { } ours)
            {
                decision = attempt.Decide(selection.WhyNotUs, whyNotKernel);
                byte[] replay = driver.Received.ToArray();

                // Not held while SslStream waits for the client.
                driver.Dispose();
                handshake.Dispose();
                transport.Dispose();
                isServed = true;
                return await FallBackAsync(socket, replay, stream => stream.AuthenticateAsServerAsync(selection.Options, attempt.Time.TokenToKeep), decision, attempt).ConfigureAwait(false);
            }

            driver.KeepsAtMost = null;
            await AcceptAsync(handshake, driver, ours, attempt.Token).ConfigureAwait(false);
            await driver.RunAsync(handshake, attempt.Time).ConfigureAwait(false);
            await JudgeAsync(sender, handshake, driver, selection.Options, attempt.Time).ConfigureAwait(false);
            Connection connection = Establishment.Establish(handshake, driver, transport, socket, decision, sender.HostOfHandshake, sessions: null, attempt);
            isServed = true;
            return connection;
        }
        finally
        {
            if (!isServed)
            {
                handshake.PeerCertificate?.Dispose();
                transport.Dispose();
            }
        }
    }

    // Whatever goes wrong at the choice, or forbids SslStream, the client is told: it has sent its ClientHello and waits.
    private static async ValueTask<Selection> SelectAsync(KTlsStream sender, ServerOptionsSource source, ServerHandshake handshake, HandshakeDriver driver, HandshakeAttempt attempt)
    {
        AlertDescription alert = AlertDescription.InternalError;
        try
        {
            ServerCredentials? credentials = attempt.Options.ServerCredentials;
            ClientHello hello = handshake.ClientHello!;
            (SslServerAuthenticationOptions options, Obstacle? whyNotUs) = await source.ForAsync(hello, credentials, attempt.Time).ConfigureAwait(false);
            options = ServerOptions.WithSelectedCertificate(sender, options, sender.HostOfHandshake);
            ServerHandshakeOptions? ours = null;
            if (whyNotUs is null)
            {
                (ours, whyNotUs) = Choose(options, hello, attempt.Options);
            }

            if (whyNotUs is { } obstacle)
            {
                alert = obstacle.Reason == FallbackReason.ProtocolVersion ? AlertDescription.ProtocolVersion : AlertDescription.HandshakeFailure;
                attempt.ThrowIfRefused(attempt.Decide(obstacle, kernel: null));
                if (credentials is not null)
                {
                    options = FallbackCredentials.WithContext(options, FallbackCredentials.Choose(credentials, hello.ServerName, options, hello, obstacle.Text));
                }
            }

            return new Selection(options, ours, whyNotUs);
        }
        catch (Exception e) when (!attempt.Token.IsCancellationRequested)
        {
            await driver.FailAsync(handshake, (e as TlsAlertException)?.Description ?? alert, attempt.Token).ConfigureAwait(false);
            throw;
        }
    }

    private static (ServerHandshakeOptions? Options, Obstacle? WhyNot) Choose(SslServerAuthenticationOptions options, ClientHello hello, KTlsOptions kernelOptions)
    {
        if (options.AllowRenegotiation && !hello.OffersTls13)
        {
            return (null, Obstacle.OfOptions("AllowRenegotiation is set, for a client of TLS 1.2"));
        }

        if (kernelOptions.ServerCredentials is { } credentials)
        {
            return Choose(credentials, options, hello, kernelOptions);
        }

        if (!ServerOptions.TryGetCredential(options, out CertificateCredential? credential, out string? reason))
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

    private static async ValueTask JudgeAsync(KTlsStream sender, ServerHandshake handshake, HandshakeDriver driver, SslServerAuthenticationOptions options, HandshakeTime time)
    {
        var criteria = new PeerVerdict.Criteria(
            sender, TargetHost: null, options.ClientCertificateRequired, options.CertificateChainPolicy,
            options.CertificateRevocationCheckMode, options.RemoteCertificateValidationCallback);
        if (handshake.Status == HandshakeStatus.NeedsCertificateVerdict)
        {
            await PeerVerdict.ReachAsync(handshake, driver, criteria, kept: null, time.Token).ConfigureAwait(false);
            await driver.RunAsync(handshake, time).ConfigureAwait(false);
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

    private static Task<Connection> FallBackUnreadAsync(Socket socket, ServerOptionsSource source, Decision decision, HandshakeAttempt attempt) => FallBackAsync(
        socket, replay: default, stream => source.AuthenticateAsync(stream, attempt.Options.ServerCredentials, decision.Obstacle!.Text, attempt.Time.TokenToKeep), decision, attempt);

    private static Task<Connection> FallBackAsync(Socket socket, ReadOnlyMemory<byte> replay, Func<SslStream, Task> authenticate, Decision decision, HandshakeAttempt attempt)
    {
        attempt.ThrowIfRefused(decision);
        Obstacle obstacle = decision.Obstacle!;
        attempt.TellOfFallback(obstacle);
        return SslStreamConnection.AuthenticateAsync(socket, replay, authenticate, obstacle, attempt.Options);
    }

    /// <summary>What a client is served with.</summary>
    /// <param name="Options">The options, with a certificate for SslStream where it is to serve.</param>
    /// <param name="Ours">The same for our handshake; null: it cannot.</param>
    /// <param name="WhyNotUs">Why it cannot.</param>
    private readonly record struct Selection(SslServerAuthenticationOptions Options, ServerHandshakeOptions? Ours, Obstacle? WhyNotUs);
}
