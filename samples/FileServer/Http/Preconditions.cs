namespace FileServer.Http;

/// <summary>What a client knows of a file decides how it is answered (RFC 9110 §13).</summary>
internal static class Preconditions
{
    public enum Result
    {
        /// <summary>The file is to be sent.</summary>
        Proceed,

        /// <summary>304: the client has it already.</summary>
        NotModified,

        /// <summary>412: the file is not the one that the client means.</summary>
        Failed,
    }

    /// <summary>Evaluates the fields in the order of RFC 9110 §13.2.2; a tag counts more than a date.</summary>
    /// <param name="headers">The request's fields.</param>
    /// <param name="tag">The file's strong entity tag, with its quotes.</param>
    /// <param name="lastModified">When the file was changed last, in whole seconds.</param>
    public static Result Evaluate(HeaderFields headers, string tag, DateTimeOffset lastModified)
    {
        if (headers.List("If-Match") is { } required)
        {
            if (!Matches(required, tag, weak: false))
            {
                return Result.Failed;
            }
        }
        else if (HttpDate.TryParse(headers.List("If-Unmodified-Since"), out DateTimeOffset unmodifiedSince) && lastModified > unmodifiedSince)
        {
            return Result.Failed;
        }

        if (headers.List("If-None-Match") is { } known)
        {
            return Matches(known, tag, weak: true) ? Result.NotModified : Result.Proceed;
        }

        return HttpDate.TryParse(headers.List("If-Modified-Since"), out DateTimeOffset modifiedSince) && lastModified <= modifiedSince
            ? Result.NotModified
            : Result.Proceed;
    }

    /// <summary>Whether a Range counts (RFC 9110 §13.1.5): without If-Range, or when that names exactly this file.</summary>
    public static bool RangeCounts(HeaderFields headers, string tag, DateTimeOffset lastModified) =>
        headers.List("If-Range") is not { } condition
        || condition == tag
        || (HttpDate.TryParse(condition, out DateTimeOffset date) && date == lastModified);

    // A list of entity tags (RFC 9110 §8.8.3), or "*" for any. A comma may stand inside a tag, so it is no simple split.
    private static bool Matches(ReadOnlySpan<char> list, string tag, bool weak)
    {
        if (list is "*")
        {
            return true;
        }

        while (true)
        {
            list = list.TrimStart(" \t,");
            bool isWeak = list.StartsWith("W/", StringComparison.Ordinal);
            ReadOnlySpan<char> rest = isWeak ? list[2..] : list;
            int end = rest.IsEmpty || rest[0] != '"' ? -1 : rest[1..].IndexOf('"');
            if (end < 0)
            {
                return false;
            }

            if (rest[..(end + 2)].SequenceEqual(tag) && (weak || !isWeak))
            {
                return true;
            }

            list = rest[(end + 2)..];
        }
    }
}
