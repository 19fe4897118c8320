using System.Globalization;
using System.Text;

namespace FileServer;

/// <summary>Builds the head of a response (RFC 9112 §4).</summary>
internal sealed class HttpResponse(int status)
{
    private readonly StringBuilder _head = new StringBuilder(256)
        .Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {Reason(status)}\r\nServer: KTls FileServer\r\nDate: {DateTime.UtcNow:r}\r\n");

    public HttpResponse Header(string name, string value)
    {
        _head.Append(name).Append(": ").Append(value).Append("\r\n");
        return this;
    }

    public HttpResponse ContentLength(long length) => Header("Content-Length", length.ToString(CultureInfo.InvariantCulture));

    /// <summary>The head, closed by its empty line, with a body of text after it.</summary>
    public byte[] ToBytes(string body = "") => Encoding.Latin1.GetBytes(_head.Append("\r\n").Append(body).ToString());

    /// <summary>A whole response that says in plain text what its status is.</summary>
    public static byte[] Plain(int status, bool keepAlive, bool isHead, params (string Name, string Value)[] headers)
    {
        string body = $"{status} {Reason(status)}\n";
        HttpResponse response = new HttpResponse(status).Header("Content-Type", "text/plain; charset=utf-8").ContentLength(body.Length);
        foreach ((string name, string value) in headers)
        {
            response.Header(name, value);
        }

        return response.Header("Connection", keepAlive ? "keep-alive" : "close").ToBytes(isHead ? string.Empty : body);
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    };
}
