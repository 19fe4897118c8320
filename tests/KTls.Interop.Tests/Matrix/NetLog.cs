using System.Net.Security;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace KTls.Interop.Tests.Matrix;

/// <summary>What Chromium writes down about its connections, with --log-net-log.</summary>
internal sealed partial class NetLog
{
    private readonly List<Connection> _connections = [];

    private NetLog()
    {
    }

    /// <summary>The TLS handshakes that were completed, in their order.</summary>
    public IReadOnlyList<Connection> Connections => _connections;

    public static async Task<NetLog> ReadAsync(string file)
    {
        await using FileStream stream = File.OpenRead(file);
        using JsonDocument document = await JsonDocument.ParseAsync(stream);
        JsonElement types = document.RootElement.GetProperty("constants").GetProperty("logEventTypes");
        int tcp = types.GetProperty("TCP_CONNECT_ATTEMPT").GetInt32();
        int ssl = types.GetProperty("SSL_CONNECT").GetInt32();
        int certificate = types.GetProperty("SSL_CLIENT_CERT_PROVIDED").GetInt32();
        var log = new NetLog();
        var ports = new Dictionary<long, int>();
        var withCertificate = new HashSet<long>();

        // All that concerns one socket has the socket's number as its source.
        foreach (JsonElement entry in document.RootElement.GetProperty("events").EnumerateArray())
        {
            int type = entry.GetProperty("type").GetInt32();
            long source = entry.GetProperty("source").GetProperty("id").GetInt64();
            if (!entry.TryGetProperty("params", out JsonElement parameters))
            {
                continue;
            }

            if (type == tcp && parameters.TryGetProperty("address", out JsonElement address))
            {
                ports[source] = int.Parse(Port().Match(address.GetString()!).Value, System.Globalization.CultureInfo.InvariantCulture);
            }
            else if (type == certificate && parameters.GetProperty("cert_count").GetInt32() != 0)
            {
                withCertificate.Add(source);
            }
            else if (type == ssl && parameters.TryGetProperty("cipher_suite", out JsonElement suite))
            {
                log._connections.Add(new Connection(
                    ports[source],
                    (TlsCipherSuite)suite.GetInt32(),
                    parameters.GetProperty("is_resumed").GetBoolean(),
                    withCertificate.Contains(source),
                    parameters.GetProperty("key_exchange_group").GetInt32()));
            }
        }

        return log;
    }

    [GeneratedRegex(@"\d+$")]
    private static partial Regex Port();

    internal sealed record Connection(int Port, TlsCipherSuite Suite, bool Resumed, bool ClientCertificate, int Group);
}
