using System.Security.Cryptography;
using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>One attempt at a cell: the texts that travel, and a server name that no other attempt has, so that none resumes another's session.</summary>
internal sealed class Trial(Cell cell)
{
    private const int Size = 4096;

    public Cell Cell { get; } = cell;

    public string ServerName { get; } = $"t{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.ktls.test";

    /// <summary>What the client sends.</summary>
    public string Question { get; init; } = RandomDigits();

    /// <summary>What the server sends.</summary>
    public string Answer { get; init; } = RandomDigits();

    /// <summary>The question as HTTP has it; programs that know no HTTP just have it typed into them.</summary>
    public string Request => $"POST / HTTP/1.1\r\nHost: {ServerName}\r\nConnection: close\r\nContent-Length: {Question.Length}\r\n\r\n{Question}";

    /// <summary>The answer as HTTP has it.</summary>
    /// <param name="origin">The page that asks, if it is a script that does.</param>
    public string Response(string origin = "null") =>
        $"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAccess-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\n"
        + $"Connection: close\r\nContent-Length: {Encoding.ASCII.GetByteCount(Answer)}\r\n\r\n{Answer}";

    // Lines of digits: letters at the start of a line are commands to OpenSSL's programs.
    private static string RandomDigits()
    {
        char[] text = RandomNumberGenerator.GetItems<char>("0123456789", Size);
        for (int i = 63; i < Size; i += 64)
        {
            text[i] = '\n';
        }

        return new string(text);
    }
}
