using System.Collections.Concurrent;
using RekeyStress.Peers;

namespace RekeyStress;

/// <summary>As many connections at a time as the settings say, each followed by the next one until its share of KeyUpdates is done.</summary>
internal sealed class Workers(Run run)
{
    private readonly ConcurrentDictionary<int, ILife> _lives = new();

    public Task RunAsync() => Task.WhenAll(Enumerable.Range(0, run.Settings.Connections).Select(i => Task.Run(() => WorkAsync(i))));

    /// <summary>Nothing goes on any more: says where everybody stands.</summary>
    public void ReportHang()
    {
        foreach ((_, ILife life) in _lives.OrderBy(pair => pair.Key))
        {
            run.Findings.Add("hangs", life.ToString()!);
        }
    }

    private async Task WorkAsync(int connection)
    {
        Settings settings = run.Settings;
        long share = (settings.Updates + settings.Connections - 1) / settings.Connections;
        for (int i = 0; share > 0 && !run.IsStopping; i++)
        {
            ILife life = settings.Peer == PeerKind.Ourselves
                ? new Life(run, LifePlan.Draw(settings, run.KernelCanRekey, connection, i), $"connection {connection}, life {i}", share)
                : new PeerLife(run, connection, share, new KeyUpdateCount(run.Totals));
            _lives[connection] = life;
            await life.RunAsync();
            share -= life.Updates;
        }

        _lives.TryRemove(connection, out _);
    }
}
