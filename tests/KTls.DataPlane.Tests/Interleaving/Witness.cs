using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>Sees what a connection does without telling its reader or writer: key updates, in its log, and tickets, in its store.</summary>
internal sealed class Witness : ILoggerFactory, ILogger, IClientSessionStore
{
    private const int KeyUpdateReceived = 6;
    private const int KeyUpdateSent = 7;

    private readonly SemaphoreSlim _changed = new(0);
    private int _updatesReceived;
    private int _updatesSent;
    private int _tickets;

    public int UpdatesSent => Volatile.Read(ref _updatesSent);

    /// <summary>Waits until reads have met so much.</summary>
    public async Task WaitAsync(int updates, int tickets)
    {
        while (Volatile.Read(ref _updatesReceived) < updates || Volatile.Read(ref _tickets) < tickets)
        {
            Assert.True(await _changed.WaitAsync(Lab.Patience), $"Reads have met {_updatesReceived} of {updates} KeyUpdates and {_tickets} of {tickets} tickets.");
        }

        Assert.Equal((updates, tickets), (_updatesReceived, _tickets));
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        switch (eventId.Id)
        {
            case KeyUpdateReceived:
                Interlocked.Increment(ref _updatesReceived);
                _changed.Release();
                break;
            case KeyUpdateSent:
                Interlocked.Increment(ref _updatesSent);
                break;
        }
    }

    public void Add(string key, ClientSession session)
    {
        session.Dispose();
        Interlocked.Increment(ref _tickets);
        _changed.Release();
    }

    public ClientSession? Take(string key) => null;

    public void Remove(string key)
    {
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Dispose() => _changed.Dispose();
}
