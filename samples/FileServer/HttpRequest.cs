using System.Globalization;
using System.Text;

namespace FileServer;

/// <summary>A request that cannot be served, by its status; the connection closes after the answer.</summary>
internal sealed class BadRequestException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}

/// <summary>The head of an HTTP/1.1 request (RFC 9112), strictly read: what is ambiguous is refused.</summary>
internal sealed class HttpRequest
{
    public const int MaxHeadSize = 16 * 1024;
    private const int MaxHeaders = 100;

    private readonly Dictionary<string, string> _headers = new(StringComparer.OrdinalIgnoreCase);

    public required string Method { get; init; }

    /// <summary>The path and query as sent.</summary>
    public required string Target { get; init; }

    public required bool IsHttp11 { get; init; }

    /// <summary>Bytes of body that follow the head.</summary>
    public long ContentLength { get; private set; }

    /// <summary>Whether the client wants the connection to live on.</summary>
    public bool KeepAlive { get; private set; }

    public string? this[string header] => _headers.GetValueOrDefault(header);

    /// <summary>Where the head ends, or -1 while it is incomplete.</summary>
    public static int FindEnd(ReadOnlySpan<byte> received)
    {
        int end = received.IndexOf("\r\n\r\n"u8);
        return end < 0 ? -1 : end + 4;
    }

    /// <exception cref="BadRequestException">The head is malformed or asks for what this server does not do.</exception>
    public static HttpRequest Parse(ReadOnlySpan<byte> head)
    {
        // One byte a character; field values with other bytes are left as they are (RFC 9110 §5.5).
        string[] lines = Encoding.Latin1.GetString(head[..^4]).Split("\r\n");
        if (lines.Length - 1 > MaxHeaders)
        {
            throw new BadRequestException(431, "Too many headers.");
        }

        HttpRequest request = ParseRequestLine(lines[0]);
        foreach (string line in lines.AsSpan(1))
        {
            request.AddHeader(line);
        }

        request.CheckHeaders();
        return request;
    }

    private static HttpRequest ParseRequestLine(string line)
    {
        string[] parts = line.Split(' ');
        if (parts.Length != 3 || parts[0].Length == 0 || !parts[0].All(IsTokenCharacter))
        {
            throw new BadRequestException(400, "Malformed request line.");
        }

        bool isHttp11 = parts[2] == "HTTP/1.1";
        if (!isHttp11 && parts[2] != "HTTP/1.0")
        {
            throw new BadRequestException(parts[2].StartsWith("HTTP/", StringComparison.Ordinal) ? 505 : 400, "Not HTTP/1.");
        }

        return new HttpRequest { Method = parts[0], Target = OriginForm(parts[1]), IsHttp11 = isHttp11 };
    }

    // RFC 9112 §3.2: proxies' absolute form is accepted, too.
    private static string OriginForm(string target)
    {
        if (target.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            int slash = target.IndexOf('/', "https://".Length);
            return slash < 0 ? "/" : target[slash..];
        }

        return target.StartsWith('/') ? target : throw new BadRequestException(400, "Malformed request target.");
    }

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    private void AddHeader(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);

        // A name with white space, or a folded line, is what request smuggling is made of (RFC 9112 §5.1, §5.2).
        if (colon <= 0 || !line.AsSpan(0, colon).ToString().All(IsTokenCharacter))
        {
            throw new BadRequestException(400, "Malformed header.");
        }

        string name = line[..colon];
        string value = line[(colon + 1)..].Trim(' ', '\t');
        if (value.AsSpan().IndexOfAny('\0', '\r', '\n') >= 0)
        {
            throw new BadRequestException(400, "Malformed header value.");
        }

        bool isAlone = !_headers.TryGetValue(name, out string? before);
        if (!isAlone && name.ToUpperInvariant() is "HOST" or "CONTENT-LENGTH" or "TRANSFER-ENCODING")
        {
            throw new BadRequestException(400, $"{name} comes twice.");
        }

        _headers[name] = isAlone ? value : $"{before}, {value}";
    }

    private void CheckHeaders()
    {
        if (IsHttp11 && !_headers.ContainsKey("Host"))
        {
            throw new BadRequestException(400, "Host is missing.");
        }

        if (_headers.ContainsKey("Transfer-Encoding"))
        {
            throw new BadRequestException(501, "Request bodies in chunks are not supported.");
        }

        if (this["Content-Length"] is { } length)
        {
            ContentLength = long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
                ? value
                : throw new BadRequestException(400, "Malformed Content-Length.");
        }

        string[] options = (this["Connection"] ?? string.Empty).Split(',', StringSplitOptions.TrimEntries);
        KeepAlive = IsHttp11
            ? !options.Contains("close", StringComparer.OrdinalIgnoreCase)
            : options.Contains("keep-alive", StringComparer.OrdinalIgnoreCase);
    }
}
