using System.Globalization;
using System.Text;

namespace FileServer.Http;

/// <summary>The path of a request target as names, decoded once and safe to join with a folder's name.</summary>
internal sealed class RequestPath
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private RequestPath(string[] segments, bool endsWithSlash, string? query)
    {
        Segments = segments;
        EndsWithSlash = endsWithSlash;
        Query = query;
    }

    /// <summary>The names between the slashes; none for the root.</summary>
    public IReadOnlyList<string> Segments { get; }

    public bool EndsWithSlash { get; }

    /// <summary>What follows the question mark, as sent; or null.</summary>
    public string? Query { get; }

    /// <summary>Whether it can be the name of a file here: "//" names none, and names that begin with a dot are hidden.</summary>
    public bool IsServed => Segments.All(name => name.Length != 0 && (name[0] != '.' || name == ".well-known"));

    /// <summary>This path as a folder's, for a Location field.</summary>
    // Only names that are not empty get here, so it cannot begin with "//", which would lead to another host.
    public string FolderLocation => "/" + string.Concat(Segments.Select(name => Uri.EscapeDataString(name) + "/"))
        + (Query is null ? string.Empty : "?" + string.Concat(Query.Select(EscapeByte)));

    /// <summary>Reads a request target in origin form or absolute form (RFC 9112 §3.2).</summary>
    /// <exception cref="RefusedRequestException">It is malformed, or contains what could lead out of the root.</exception>
    public static RequestPath Parse(string target)
    {
        string origin = OriginForm(target);
        if (origin.Contains('#', StringComparison.Ordinal))
        {
            throw Malformed();
        }

        int question = origin.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? origin : origin[..question];
        string[] segments = path.Length == 1 ? [] : path[1..].Split('/');
        bool endsWithSlash = path.EndsWith('/');
        if (segments.Length != 0 && endsWithSlash)
        {
            Array.Resize(ref segments, segments.Length - 1);
        }

        return new RequestPath([.. segments.Select(Decode)], endsWithSlash, question < 0 ? null : origin[(question + 1)..]);
    }

    private static string OriginForm(string target)
    {
        if (target.StartsWith('/'))
        {
            return target;
        }

        const string Scheme = "https://";
        if (!target.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || target.Length == Scheme.Length)
        {
            throw Malformed();
        }

        int end = target.AsSpan(Scheme.Length).IndexOfAny('/', '?', '#');
        string rest = end < 0 ? "/" : target[(Scheme.Length + end)..];
        return rest[0] == '/' ? rest : "/" + rest;
    }

    // Percent-decoding happens once, after the split: an encoded slash, or a dot encoded twice, never becomes a separator.
    private static string Decode(string segment)
    {
        byte[] bytes = new byte[segment.Length];
        int length = 0;
        for (int i = 0; i < segment.Length; i++)
        {
            if (segment[i] != '%')
            {
                bytes[length++] = (byte)segment[i];
                continue;
            }

            if (i + 2 >= segment.Length || !byte.TryParse(segment.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[length++]))
            {
                throw Malformed();
            }

            i += 2;
        }

        string name = ToText(bytes.AsSpan(0, length));
        return name is "." or ".." || name.Any(c => c is '/' or '\\' || char.IsControl(c)) ? throw Malformed() : name;
    }

    private static string ToText(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Malformed();
        }
    }

    private static string EscapeByte(char c) =>
        char.IsAscii(c) ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"%{(byte)c:X2}");

    private static RefusedRequestException Malformed() => new(400, "The request target is malformed.");
}
