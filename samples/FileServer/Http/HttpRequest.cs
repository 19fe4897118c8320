using System.Globalization;

namespace FileServer.Http;

/// <summary>The head of a request. What it says about the message itself is checked and understood here.</summary>
internal sealed class HttpRequest
{
    private HttpRequest(string method, string target, bool isHttp11, HeaderFields headers)
    {
        Method = method;
        Target = target;
        IsHttp11 = isHttp11;
        Headers = headers;
    }

    public string Method { get; }

    /// <summary>The request target as it came; a char is a byte.</summary>
    public string Target { get; }

    /// <summary>False for HTTP/1.0.</summary>
    public bool IsHttp11 { get; }

    public HeaderFields Headers { get; }

    /// <summary>Bytes of body that follow the head.</summary>
    public long ContentLength { get; private init; }

    /// <summary>Whether the client sends its body only when asked to (RFC 9110 §10.1.1).</summary>
    public bool ExpectsContinue { get; private init; }

    /// <summary>Whether the client wants to send another request on the same connection.</summary>
    public bool KeepAlive { get; private init; }

    /// <exception cref="RefusedRequestException">A field that the message depends on is missing, malformed or contradictory.</exception>
    public static HttpRequest Create(string method, string target, bool isHttp11, HeaderFields headers)
    {
        CheckHost(headers, isHttp11);
        return new HttpRequest(method, target, isHttp11, headers)
        {
            ContentLength = BodyLength(headers, isHttp11),
            ExpectsContinue = Expectation(headers, isHttp11),
            KeepAlive = Persists(headers, isHttp11),
        };
    }

    // RFC 9112 §3.2: exactly one in HTTP/1.1. What it says does not matter here: there is one site.
    private static void CheckHost(HeaderFields headers, bool isHttp11)
    {
        string? host = headers.Single("Host");
        if (host is null && isHttp11)
        {
            throw new RefusedRequestException(400, "The Host field is missing.");
        }

        if (host is not null && !host.All(c => char.IsAsciiLetterOrDigit(c) || "-._~!$&'()*+,;=:[]%".Contains(c, StringComparison.Ordinal)))
        {
            throw new RefusedRequestException(400, "The Host field is malformed.");
        }
    }

    // RFC 9112 §6: the rules that keep two readers of one stream from seeing different requests (§11.2, smuggling).
    private static long BodyLength(HeaderFields headers, bool isHttp11)
    {
        string? length = headers.Single("Content-Length");
        if (headers.Contains("Transfer-Encoding"))
        {
            throw length is not null || !isHttp11
                ? new RefusedRequestException(400, "Transfer-Encoding with Content-Length or in HTTP/1.0.")
                : new RefusedRequestException(501, "Transfer-Encoding is not supported in requests.");
        }

        // Digits only: neither a sign nor a list.
        return length is null ? 0
            : long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value
            : throw new RefusedRequestException(400, "The Content-Length field is malformed.");
    }

    private static bool Expectation(HeaderFields headers, bool isHttp11)
    {
        if (!isHttp11 || headers.List("Expect") is not { } expectation)
        {
            return false;
        }

        return expectation.Equals("100-continue", StringComparison.OrdinalIgnoreCase)
            ? true
            : throw new RefusedRequestException(417, "The only expectation known is 100-continue.");
    }

    // RFC 9112 §9.3.
    private static bool Persists(HeaderFields headers, bool isHttp11)
    {
        string[] options = headers.List("Connection")?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        return !options.Contains("close", StringComparer.OrdinalIgnoreCase)
            && (isHttp11 || options.Contains("keep-alive", StringComparer.OrdinalIgnoreCase));
    }
}
