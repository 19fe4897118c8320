using System.Diagnostics;

namespace KTls.Bench.Files;

/// <summary>What a client's requests for a file took, one after the other.</summary>
internal readonly record struct FileRun(TimeSpan Wall, TimeSpan Server, TimeSpan Client)
{
    public static FileRun Of(FileClient client, IFileServer server, string path, long size, int count)
    {
        TimeSpan serverCpu = default;
        TimeSpan clientCpu = default;
        long begin = 0;
        long received = client.Run(server.Port, server.IsTls, path, count, () =>
        {
            serverCpu = server.Cpu();
            clientCpu = client.Cpu();
            begin = Stopwatch.GetTimestamp();
        });
        var used = new FileRun(Stopwatch.GetElapsedTime(begin), server.Cpu() - serverCpu, client.Cpu() - clientCpu);
        return received == size * count ? used : throw new InvalidOperationException($"{server.Name} sent {received} bytes, not {size * count}.");
    }
}
