using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FileServer;

/// <summary>Where to listen: one address, or all of IPv4 and IPv6 at once.</summary>
internal sealed record ListenAddress(IPEndPoint EndPoint, bool AllAddresses)
{
    /// <summary>Reads "[ADDR:]PORT".</summary>
    /// <exception cref="UserErrorException">The text is none.</exception>
    public static ListenAddress Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "127.0.0.1" : text[..colon];
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            throw Malformed(text);
        }

        if (host == "*")
        {
            return new ListenAddress(new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port), AllAddresses: true);
        }

        return new ListenAddress(new IPEndPoint(ParseHost(host) ?? throw Malformed(text), port), AllAddresses: false);
    }

    private static IPAddress? ParseHost(string host)
    {
        if (host == "localhost")
        {
            return IPAddress.Loopback;
        }

        // IPv6 only in brackets: in "::1:8443" nobody can tell where the port starts. IPv4 only with all four numbers.
        bool isBracketed = host.StartsWith('[') && host.EndsWith(']');
        return IPAddress.TryParse(host, out IPAddress? address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 ? isBracketed : host.Count(c => c == '.') == 3)
            ? address
            : null;
    }

    private static UserErrorException Malformed(string text) =>
        new($"--listen: '{text}' is not [ADDR:]PORT, such as 8443, 0.0.0.0:8443, [::1]:8443 or *:8443");
}
