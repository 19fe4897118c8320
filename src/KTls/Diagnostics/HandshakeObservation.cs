using System.Diagnostics;
using System.Security.Authentication;
using System.Text.Json;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.Diagnostics;

/// <summary>One handshake as it is seen from outside: a measured duration, and an activity of the source "KTls".</summary>
internal readonly struct HandshakeObservation
{
    private static readonly ActivitySource Source = new(Instruments.Name, typeof(HandshakeObservation).Assembly.GetName().Version?.ToString());

    private readonly bool _isServer;
    private readonly long _start;
    private readonly Activity? _activity;

    private HandshakeObservation(bool isServer, Activity? activity)
    {
        _isServer = isServer;
        _start = Stopwatch.GetTimestamp();
        _activity = activity;
    }

    /// <summary>Whether anybody looks.</summary>
    public static bool IsWanted => Instruments.HandshakeDuration.Enabled || Source.HasListeners();

    public static HandshakeObservation Begin(bool isServer, string? targetHost)
    {
        Activity? activity = Source.StartActivity("KTls.Handshake", ActivityKind.Internal);
        if (activity is not null)
        {
            activity.DisplayName = isServer ? "TLS server handshake" : "TLS client handshake";
            activity.SetTag("ktls.role", Instruments.RoleName(isServer));
            if (!string.IsNullOrEmpty(targetHost))
            {
                activity.SetTag("server.address", targetHost);
            }
        }

        return new HandshakeObservation(isServer, activity);
    }

    public void Succeeds(KTlsStream stream)
    {
        var tags = new TagList { { "ktls.role", Instruments.RoleName(_isServer) }, { "tls.protocol.version", VersionOf(stream.SslProtocol) } };
        if (stream.IsResumed is { } isResumed)
        {
            tags.Add("tls.resumed", isResumed);
        }

        Instruments.HandshakeDuration.Record(Stopwatch.GetElapsedTime(_start).TotalSeconds, tags);
        if (_activity is not { } activity)
        {
            return;
        }

        foreach (KeyValuePair<string, object?> tag in tags)
        {
            activity.SetTag(tag.Key, tag.Value);
        }

        activity.SetTag("tls.protocol.name", "tls");
        activity.SetTag("tls.cipher", stream.NegotiatedCipherSuite.ToString());
        if (stream.NegotiatedGroup is { } group)
        {
            activity.SetTag("tls.curve", group.ToString());
        }

        activity.SetTag("ktls.data_plane.transmit", Instruments.NameOf(stream.Sending.Kind));
        activity.SetTag("ktls.data_plane.receive", Instruments.NameOf(stream.Receiving.Kind));
        activity.Dispose();
    }

    public void Fails(Exception failure)
    {
        string error = ErrorType(failure);
        Instruments.HandshakeDuration.Record(
            Stopwatch.GetElapsedTime(_start).TotalSeconds, new TagList { { "ktls.role", Instruments.RoleName(_isServer) }, { "error.type", error } });
        if (_activity is { } activity)
        {
            activity.SetTag("error.type", error);
            activity.SetStatus(ActivityStatusCode.Error, failure.Message);
            activity.Dispose();
        }
    }

    private static string VersionOf(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "1.3",
        SslProtocols.Tls12 => "1.2",
        _ => "older",
    };

    // An alert by its name in the RFCs, an errno by its own; no text, and no number that a peer could make up.
    private static string ErrorType(Exception failure) => (failure, failure.InnerException) switch
    {
        (_, TlsAlertException { Description: var alert }) =>
            Enum.IsDefined(alert) ? JsonNamingPolicy.SnakeCaseLower.ConvertName(alert.ToString()) : "unknown_alert",
        (KernelTlsException { Errno: var errno }, _) => ErrorNumber.NameOf(errno),
        (TimeoutException, _) => "timeout",
        (OperationCanceledException, _) => "cancelled",
        _ => failure.GetType().FullName!,
    };
}
