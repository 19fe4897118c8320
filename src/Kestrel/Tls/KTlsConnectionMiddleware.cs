using System.Security.Authentication;
using KTls.Kestrel.Files;
using KTls.Kestrel.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace KTls.Kestrel.Tls;

/// <summary>
/// Does the handshake on the bare socket. What it cannot serve it leaves untouched to stock HTTPS, which comes next and steps aside
/// itself when it finds a connection that has TLS already.
/// </summary>
internal sealed class KTlsConnectionMiddleware(ConnectionDelegate next, EndpointHandshakes handshakes, KTlsOptions kernelOptions, BufferLimits limits, HandshakeMetrics metrics, ILogger logger)
{
    private int _hasTold;

    public async Task OnConnectionAsync(ConnectionContext context)
    {
        if (context.Features.Get<ITlsConnectionFeature>() is not null)
        {
            // TLS of somebody before us, perhaps UseKTls a second time.
        }
        else if (handshakes.WhyOnlyHttps is { } reason)
        {
            if (IsFirstTime())
            {
                Log.StepsAside(logger, context.LocalEndPoint, reason);
            }
        }
        else if (context.Features.Get<IBareSocketFeature>() is not { } bare)
        {
            if (IsFirstTime())
            {
                Log.NotOurTransport(logger, context.LocalEndPoint);
            }
        }
        else if (!bare.TryTakeSocket(out System.Net.Sockets.Socket? socket))
        {
            if (IsFirstTime())
            {
                Log.StepsAside(logger, context.LocalEndPoint, "a connection middleware before UseKTls has asked for the connection's pipes");
            }
        }
        else
        {
            if (await AuthenticateAsync(context, socket).ConfigureAwait(false) is not { } stream)
            {
                // The connection's dispose closes the socket.
                return;
            }

            new TlsFeatures(stream).AddTo(context.Features);
            var pipes = new StreamPipes(socket, stream, limits.Read, limits.Write, bare.ReportClosed);
            bare.Attach(pipes);
            context.Features.Set(new FileResponseBody(context, pipes.Output, logger));
        }

        await next(context).ConfigureAwait(false);
    }

    // Once for an endpoint: all its connections come the same way.
    private bool IsFirstTime() => Interlocked.Exchange(ref _hasTold, 1) == 0;

    private async Task<KTlsStream?> AuthenticateAsync(ConnectionContext context, System.Net.Sockets.Socket socket)
    {
        HandshakeMetrics.Begun begin = metrics.Begin(context);
        try
        {
            KTlsStream stream = await handshakes.RunAsync(context, socket, kernelOptions).ConfigureAwait(false);
            metrics.Succeeds(context, begin, stream.SslProtocol);
            Log.Established(logger, context.ConnectionId, stream.SslProtocol, stream.Sending.Kind, stream.Receiving.Kind);
            return stream;
        }
        catch (Exception e)
        {
            metrics.Fails(context, begin, e is TimeoutException ? typeof(OperationCanceledException) : e.GetType());
            switch (e)
            {
                case TimeoutException:
                    Log.TimedOut(logger, context.ConnectionId);
                    break;
                case OperationCanceledException:
                    Log.Failed(logger, context.ConnectionId, "the connection was aborted", null);
                    break;
                case AuthenticationException or IOException:
                    Log.Failed(logger, context.ConnectionId, e.Message, e);
                    break;
                default:
                    throw;
            }
        }

        return null;
    }
}
