using System.Globalization;

namespace FileServer.Http;

/// <summary>Dates in fields (RFC 9110 §5.6.7): one form is sent, three are understood.</summary>
internal static class HttpDate
{
    private static readonly string[] Forms =
    [
        "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "dddd, dd-MMM-yy HH:mm:ss 'GMT'",
        "ddd MMM d HH:mm:ss yyyy",
    ];

    public static string Format(DateTimeOffset date) => date.ToString("R", CultureInfo.InvariantCulture);

    public static bool TryParse(string? text, out DateTimeOffset date) => DateTimeOffset.TryParseExact(
        text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite, out date);
}
