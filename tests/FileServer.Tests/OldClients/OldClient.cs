using System.Diagnostics;
using System.Text;

namespace FileServer.Tests.OldClients;

/// <summary>A real TLS program, restricted to what it had long ago or has nowhere else. It fetches one file.</summary>
internal static class OldClient
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    public sealed record Result(byte[] Received, string Error);

    public static Task<Result> OpenSslAsync(int port, string file, params string[] restrictions) => RunAsync(
        "openssl", ["s_client", "-quiet", "-connect", $"127.0.0.1:{port}", "-servername", "localhost", .. restrictions], file);

    public static Task<Result> GnuTlsAsync(int port, string file, string priority) => RunAsync(
        "gnutls-cli", ["--insecure", "--logfile", "/dev/null", "--sni-hostname", "localhost", "--priority", priority, "--port", $"{port}", "127.0.0.1"], file);

    // Standard input stays open: its end would make either program say close_notify first.
    private static async Task<Result> RunAsync(string program, string[] arguments, string file)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var received = new MemoryStream();
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(Encoding.ASCII.GetBytes($"GET /{file} HTTP/1.0\r\n\r\n"));
            await process.StandardInput.BaseStream.FlushAsync();
        }
        catch (IOException)
        {
            // It has been refused already.
        }

        await process.StandardOutput.BaseStream.CopyToAsync(received).WaitAsync(Limit);
        await process.WaitForExitAsync().WaitAsync(Limit);
        return new Result(received.ToArray(), await error);
    }
}
