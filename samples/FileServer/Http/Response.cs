using System.Globalization;
using System.Text;
using FileServer.Files;

namespace FileServer.Http;

/// <summary>A response: a status, header fields, and as its body a part of a file, a line of text, or nothing.</summary>
internal sealed class Response : IDisposable
{
    private readonly StringBuilder _fields = new(256);
    private byte[] _text = [];

    private Response(int status) => Status = status;

    public int Status { get; }

    /// <summary>The file whose bytes are the body; null when there is none.</summary>
    public StaticFile? File { get; private init; }

    /// <summary>What of the file to send.</summary>
    public ByteRange Part { get; private init; }

    /// <summary>A part of a file, or all of it.</summary>
    public static Response OfFile(int status, StaticFile file, ByteRange part) => new Response(status) { File = file, Part = part }
        .With("Content-Type", ContentTypes.Of(file.Name))
        .With("X-Content-Type-Options", "nosniff")
        .With("Content-Length", part.Count);

    /// <summary>A status with a body that tells it to a person.</summary>
    public static Response OfStatus(int status, string? detail = null)
    {
        string text = $"{status} {StatusText.Of(status)}" + (detail is null ? "\n" : $": {detail}\n");
        var response = new Response(status) { _text = Encoding.UTF8.GetBytes(text) };
        return response.With("Content-Type", "text/plain; charset=utf-8").With("Content-Length", response._text.Length);
    }

    /// <summary>A status that never has a body (RFC 9112 §6.3).</summary>
    public static Response WithoutBody(int status) => new(status);

    /// <summary>Adds a header field.</summary>
    public Response With(string name, string value)
    {
        _fields.Append(name).Append(": ").Append(value).Append("\r\n");
        return this;
    }

    /// <summary>
    /// The bytes that go out first: status line, fields, and the text if that is the body. One write makes one TLS record of
    /// them; the file follows by itself.
    /// </summary>
    /// <param name="connection">The value of the Connection field, if one is due.</param>
    /// <param name="isHead">Whether the request was HEAD: the same fields, no body.</param>
    /// <param name="now">The time, for the Date field.</param>
    public byte[] ToBytes(string? connection, bool isHead, DateTimeOffset now)
    {
        var head = new StringBuilder(512);
        head.Append("HTTP/1.1 ").Append(Status).Append(' ').Append(StatusText.Of(Status)).Append("\r\n");
        head.Append("Date: ").Append(HttpDate.Format(now)).Append("\r\n");
        head.Append(_fields);
        if (connection is not null)
        {
            head.Append("Connection: ").Append(connection).Append("\r\n");
        }

        byte[] bytes = Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
        return isHead ? bytes : [.. bytes, .. _text];
    }

    public void Dispose() => File?.Dispose();

    private Response With(string name, long value) => With(name, value.ToString(CultureInfo.InvariantCulture));
}
