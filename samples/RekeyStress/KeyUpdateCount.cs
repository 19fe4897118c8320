using KTls;
using Microsoft.Extensions.Logging;

namespace RekeyStress;

/// <summary>
/// Counts the KeyUpdates of one end by what the library logs. Those that it sends by itself are among them: answers to a request of
/// the peer's, and when a key has been used for long.
/// </summary>
internal sealed class KeyUpdateCount(Totals totals) : ILoggerFactory, ILogger
{
    private readonly GrowingNumber _received = new();
    private long _sent;
    private long _receivedByKernel;

    public long Sent => Interlocked.Read(ref _sent);

    public long Received => _received.Value;

    /// <summary>Those among <see cref="Sent"/> that the kernel has sealed, and whose new keys it has got.</summary>
    public long SentByKernel => KernelSends ? Sent : 0;

    /// <summary>Those among <see cref="Received"/> that the kernel has opened: what comes with the end of the handshake it does not.</summary>
    public long ReceivedByKernel => Interlocked.Read(ref _receivedByKernel);

    public bool KernelSends { get; private set; }

    public bool KernelReceives { get; private set; }

    /// <summary>Why the kernel has refused keys, so that user space goes on.</summary>
    public string? Refusal { get; private set; }

    public Task WaitForReceivedAsync(long count, CancellationToken cancellationToken) => _received.WaitForAsync(count, cancellationToken);

    /// <summary>The handshake is complete: before, there are no KeyUpdates.</summary>
    public void Begin(KTlsStream stream)
    {
        KernelSends = stream.Sending.Kind == DataPlaneKind.Kernel;
        KernelReceives = stream.Receiving.Kind == DataPlaneKind.Kernel;
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        switch (eventId.Name)
        {
            case "KeyUpdateSent":
                Interlocked.Increment(ref _sent);
                totals.UpdateSent();
                break;
            case "KeyUpdateReceived":
                if (KernelReceives)
                {
                    Interlocked.Increment(ref _receivedByKernel);
                }

                totals.UpdateReceived();
                _received.Add(1);

                break;
            case "ReceiveHandedOver":
                KernelReceives = true;
                break;
            case "KernelRefusesKeys":
                Refusal = formatter(state, exception);
                break;
        }
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
