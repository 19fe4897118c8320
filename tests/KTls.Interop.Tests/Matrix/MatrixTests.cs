namespace KTls.Interop.Tests.Matrix;

public sealed class MatrixTests
{
    [Fact]
    public async Task Try()
    {
        foreach (Peer peer in new Peer[] { new ChromiumClient(), new NginxClient() })
        {
            var w = System.Diagnostics.Stopwatch.StartNew();
            foreach (var (cell, failure) in await peer.TryAsync(Cell.All))
            {
                if (failure is not null) { Console.WriteLine($"{peer.WhyNot(cell)} | {peer.Name} {(peer.IsClient ? "client" : "server")} {cell}: {failure[..Math.Min(200,failure.Length)].Replace("\n", " ")}"); }
            }
            Console.WriteLine($"{peer.Name} {w.Elapsed}");
        }
    }
}
