using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace KTls.Kestrel.Tests;

/// <summary>Kestrel's own metrics tell of handshakes under UseKTls what they tell under UseHttps.</summary>
public sealed class MetricsTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_handshake_is_measured_as_stock_HTTPS_measures_it(SslProtocols protocol)
    {
        string[] stock = await MeasureAsync(isKTls: false, protocol, BrowseAsync);
        Assert.Contains(stock, line => line.StartsWith("kestrel.tls_handshake.duration ", StringComparison.Ordinal));
        Assert.Equal(stock, await MeasureAsync(isKTls: true, protocol, BrowseAsync));
    }

    [Fact]
    public async Task A_handshake_that_fails_is_measured_too()
    {
        string[] stock = await MeasureAsync(isKTls: false, SslProtocols.None, NonsenseAsync);
        Assert.Contains(stock, line => line.Contains("error.type=", StringComparison.Ordinal));
        Assert.Equal(stock, await MeasureAsync(isKTls: true, SslProtocols.None, NonsenseAsync));
    }

    [Fact]
    public async Task So_is_one_that_takes_too_long()
    {
        string[] stock = await MeasureAsync(isKTls: false, SslProtocols.None, SilenceAsync);
        Assert.Contains(stock, line => line.Contains("error.type=", StringComparison.Ordinal));
        Assert.Equal(stock, await MeasureAsync(isKTls: true, SslProtocols.None, SilenceAsync));
    }

    /// <summary>Else the number of those that are active would be one too few for ever.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handshake_that_began_before_somebody_listens_does_not_end_for_him(bool isKTls)
    {
        var counted = new ConcurrentQueue<long>();
        await using Site site = await Site.StartAsync(isKTls, https => https.HandshakeTimeout = TimeSpan.FromSeconds(20));
        int port = new Uri(site.Addresses[0]).Port;
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await Task.Delay(500);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "kestrel.active_tls_handshakes")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (tags.ToArray().Any(tag => tag.Key == "server.port" && Equals(tag.Value, port)))
            {
                counted.Enqueue(value);
            }
        });
        listener.Start();
        client.Dispose();
        await BrowseAsync(site);
        await site.StopAsync();
        Assert.Equal([1, -1], counted);
    }

    private static async Task SilenceAsync(Site site)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(site.Addresses[0]).Port);
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[100]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
    }

    private static async Task BrowseAsync(Site site)
    {
        // The server ends the connection: else it is the client or the site's end, whichever comes first.
        using HttpClient client = site.CreateClient(HttpVersion.Version11);
        client.DefaultRequestHeaders.ConnectionClose = true;
        Assert.Equal("small", await client.GetStringAsync("small"));
    }

    private static async Task NonsenseAsync(Site site)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(site.Addresses[0]).Port);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        _ = await client.GetStream().ReadAsync(new byte[100]).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }

    // What the site's meters say, without the numbers that differ each time.
    private static async Task<string[]> MeasureAsync(bool isKTls, SslProtocols protocol, Func<Site, Task> act)
    {
        var lines = new ConcurrentQueue<string>();
        int port = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Microsoft.AspNetCore.Server.Kestrel")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, $"{value:+0;-0}", tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value > 0 ? "positive" : "zero", tags));
        void Note(Instrument instrument, string value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            // Other tests' sites have other ports.
            KeyValuePair<string, object?>[] all = tags.ToArray();
            if (all.Any(tag => tag.Key == "server.port" && Equals(tag.Value, Volatile.Read(ref port))))
            {
                lines.Enqueue($"{instrument.Name} {value} {string.Join(' ', all.Where(tag => tag.Key != "server.port").OrderBy(tag => tag.Key).Select(tag => $"{tag.Key}={tag.Value}"))}");
            }
        }

        await using (Site site = await Site.StartAsync(isKTls, https => (https.SslProtocols, https.HandshakeTimeout) = (protocol, act == SilenceAsync ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(30))))
        {
            Volatile.Write(ref port, new Uri(site.Addresses[0]).Port);
            listener.Start();
            await act(site);
            await site.StopAsync();
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }
}
