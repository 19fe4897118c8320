using System.Globalization;

namespace FileServer;

/// <summary>Conditional requests (RFC 9110 §13).</summary>
internal static class Conditions
{
    /// <summary>Whether the client's copy is still good: If-None-Match decides, else If-Modified-Since.</summary>
    public static bool IsNotModified(HttpRequest request, StaticFile file)
    {
        if (request["If-None-Match"] is { } tags)
        {
            return tags.Trim() == "*" || tags.Split(',', StringSplitOptions.TrimEntries).Any(tag => Weak(tag) == Weak(file.ETag));
        }

        return ParseDate(request["If-Modified-Since"]) is { } since && WholeSeconds(file.LastModified) <= since;
    }

    /// <summary>Whether a Range header counts: If-Range names what the client has a part of.</summary>
    public static bool IsRangeCurrent(HttpRequest request, StaticFile file) => request["If-Range"] switch
    {
        null => true,
        ['"', ..] tag => tag == file.ETag,
        string other => ParseDate(other) == WholeSeconds(file.LastModified),
    };

    // Weak comparison (RFC 9110 §8.8.3.2).
    private static string Weak(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    private static DateTimeOffset? ParseDate(string? value) =>
        DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date) ? date : null;
}
