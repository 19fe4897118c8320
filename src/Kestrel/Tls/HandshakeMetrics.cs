using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace KTls.Kestrel.Tls;

/// <summary>What Kestrel's own meter says of stock HTTPS' handshakes, said of ours: by the same instruments, with the same tags.</summary>
internal sealed class HandshakeMetrics
{
    private const string ErrorType = "error.type";

    private readonly UpDownCounter<long> _active;
    private readonly Histogram<double> _duration;

    public HandshakeMetrics(IMeterFactory factory)
    {
        // The factory has one meter of a name, and a meter one instrument of a name: these are Kestrel's.
        Meter meter = factory.Create("Microsoft.AspNetCore.Server.Kestrel");
        _active = meter.CreateUpDownCounter<long>("kestrel.active_tls_handshakes", "{handshake}", "Number of TLS handshakes that are currently in progress on the server.");
        _duration = meter.CreateHistogram(
            "kestrel.tls_handshake.duration", "s", "The duration of TLS handshakes on the server.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] });
    }

    /// <summary>A handshake begins.</summary>
    public Begun Begin(ConnectionContext connection)
    {
        bool isCounted = _active.Enabled;
        if (isCounted)
        {
            _active.Add(1, TagsOf(connection));
        }

        return new Begun(Stopwatch.GetTimestamp(), isCounted);
    }

    public void Succeeds(ConnectionContext connection, Begun begin, SslProtocols protocol)
    {
        KeyValuePair<string, object?> version = new("tls.protocol.version", VersionOf(protocol));
        End(connection, begin, version);
        connection.Features.Get<IConnectionMetricsTagsFeature>()?.Tags.Add(version);
    }

    public void Fails(ConnectionContext connection, Begun begin, Type failure)
    {
        End(connection, begin, new(ErrorType, failure.FullName));
        connection.Features.Get<IConnectionMetricsTagsFeature>()?.Tags.Add(new(ErrorType, "tls_handshake_failed"));
    }

    private void End(ConnectionContext connection, Begun begin, KeyValuePair<string, object?> outcome)
    {
        if (!begin.IsCounted && !_duration.Enabled)
        {
            return;
        }

        TagList tags = TagsOf(connection);
        if (begin.IsCounted)
        {
            _active.Add(-1, tags);
        }

        tags.Add(outcome);
        _duration.Record(Stopwatch.GetElapsedTime(begin.Time).TotalSeconds, tags);
    }

    private static TagList TagsOf(ConnectionContext connection)
    {
        var tags = new TagList { { "network.transport", "tcp" } };
        if (connection.LocalEndPoint is IPEndPoint local)
        {
            tags.Add("server.address", local.Address.ToString());
            tags.Add("server.port", local.Port);
            tags.Add("network.type", local.AddressFamily == AddressFamily.InterNetwork ? "ipv4" : "ipv6");
        }

        return tags;
    }

    private static string VersionOf(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "1.3",
        SslProtocols.Tls12 => "1.2",
#pragma warning disable CA5397, SYSLIB0039 // SslStream may have served an old client.
        SslProtocols.Tls11 => "1.1",
        SslProtocols.Tls => "1.0",
#pragma warning restore CA5397, SYSLIB0039
        _ => protocol.ToString(),
    };

    /// <summary>When a handshake began, and whether somebody listened and counted it: who comes later must not see it go.</summary>
    public readonly record struct Begun(long Time, bool IsCounted);
}
