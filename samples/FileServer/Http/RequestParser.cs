using System.Buffers;
using System.Text;

namespace FileServer.Http;

/// <summary>Reads the text of a request's head (RFC 9112 §2 to §5), strictly: what servers read differently is refused.</summary>
internal static class RequestParser
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Parses a whole head, from the request line to the empty line, its lines ended by CRLF.</summary>
    /// <exception cref="RefusedRequestException">The head is malformed.</exception>
    public static HttpRequest Parse(ReadOnlySpan<byte> head)
    {
        // A char is a byte: nothing is lost, and nothing turns into a separator that was none.
        ReadOnlySpan<char> rest = Encoding.Latin1.GetString(head);
        ReadOnlySpan<char> requestLine = TakeLine(ref rest);
        var headers = new HeaderFields();
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<char> line = TakeLine(ref rest);
            if (line.IsEmpty)
            {
                break;
            }

            AddField(headers, line);
        }

        return ParseRequestLine(requestLine, headers);
    }

    private static ReadOnlySpan<char> TakeLine(ref ReadOnlySpan<char> rest)
    {
        int end = rest.IndexOf("\r\n", StringComparison.Ordinal);
        ReadOnlySpan<char> line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? [] : rest[(end + 2)..];
        return line;
    }

    // RFC 9112 §3: exactly one space between the parts.
    private static HttpRequest ParseRequestLine(ReadOnlySpan<char> line, HeaderFields headers)
    {
        int first = line.IndexOf(' ');
        int last = line.LastIndexOf(' ');
        if (first <= 0 || last <= first + 1)
        {
            throw new RefusedRequestException(400, "The request line is malformed.");
        }

        ReadOnlySpan<char> method = line[..first];
        ReadOnlySpan<char> target = line[(first + 1)..last];

        // Bytes over 0x7E are not allowed either, but clients send names in UTF-8 as they are, and that is unambiguous.
        if (method.ContainsAnyExcept(TokenCharacters) || target.ContainsAnyInRange('\0', ' ') || target.Contains('\x7f'))
        {
            throw new RefusedRequestException(400, "The request line is malformed.");
        }

        return HttpRequest.Create(method.ToString(), target.ToString(), IsHttp11(line[(last + 1)..]), headers);
    }

    private static bool IsHttp11(ReadOnlySpan<char> version)
    {
        if (version.Length != 8 || !version.StartsWith("HTTP/", StringComparison.Ordinal) || version[6] != '.'
            || !char.IsAsciiDigit(version[5]) || !char.IsAsciiDigit(version[7]))
        {
            throw new RefusedRequestException(400, "The request line is malformed.");
        }

        // A higher minor version is answered as the highest one known (RFC 9110 §2.5).
        return version[5] == '1'
            ? version[7] != '0'
            : throw new RefusedRequestException(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    }

    // No white space before the colon, and no folded lines, which would start with some (RFC 9112 §5.1, §5.2).
    private static void AddField(HeaderFields headers, ReadOnlySpan<char> line)
    {
        int colon = line.IndexOf(':');
        if (colon <= 0 || line[..colon].ContainsAnyExcept(TokenCharacters))
        {
            throw new RefusedRequestException(400, "A header field is malformed.");
        }

        ReadOnlySpan<char> value = line[(colon + 1)..].Trim(" \t");
        foreach (char c in value)
        {
            if (c is < ' ' and not '\t' or '\x7f')
            {
                throw new RefusedRequestException(400, "A header field has a control character.");
            }
        }

        headers.Add(line[..colon].ToString(), value.ToString());
    }
}
