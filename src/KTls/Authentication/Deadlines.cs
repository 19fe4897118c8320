namespace KTls.Authentication;

/// <summary>
/// The ends of handshakes' times. Those that begin within a sixteenth of their time share one timer: for each to set and stop one of its own would be an allocation,
/// two locks and two looks at the clock, which on a machine without a vDSO are system calls. So time is never up early, and up to a sixteenth late, but no more than
/// two seconds.
/// </summary>
#pragma warning disable CA1001 // A deadline belongs to those who have joined it.
internal sealed class Deadlines
#pragma warning restore CA1001
{
    private const int Fraction = 16;
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Deadline? _open;

    /// <summary>The deadline of a handshake that begins now, which disposes of it once.</summary>
    /// <param name="time">How long a handshake may take, positive and finite.</param>
    public Deadline Join(TimeSpan time)
    {
        lock (_lock)
        {
            if (_open is null || _open.Time != time)
            {
                _open = new Deadline(this, time);
            }

            _open.Handshakes++;
            return _open;
        }
    }

    /// <summary>An end that some handshakes share.</summary>
    internal sealed class Deadline : IDisposable
    {
        private readonly Deadlines _deadlines;
        private readonly CancellationTokenSource _source = new();
        private readonly Timer _joining;
        private bool _isClosed;

        public Deadline(Deadlines deadlines, TimeSpan time)
        {
            _deadlines = deadlines;
            Time = time;
            Token = _source.Token;

            // Not with the context of whoever comes first.
            using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
            _joining = new Timer(static deadline => ((Deadline)deadline!).Close(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

            // Only now that the field has it.
            TimeSpan delay = time / Fraction;
            _joining.Change(delay < MaxDelay ? delay : MaxDelay, Timeout.InfiniteTimeSpan);
        }

        /// <summary>How long each of the handshakes has.</summary>
        public TimeSpan Time { get; }

        /// <summary>How many handshakes go on; for <see cref="Deadlines"/>, which holds the lock.</summary>
        public int Handshakes { get; set; }

        /// <summary>Cancelled when time is up. Not for the user's code, which could keep it for longer than its handshake, or be kept in its callbacks.</summary>
        public CancellationToken Token { get; }

        /// <summary>One of the handshakes is over.</summary>
        public void Dispose()
        {
            lock (_deadlines._lock)
            {
                Handshakes--;
                StopIfUnused();
            }
        }

        // Who comes from now on gets another one, and time begins to run for the last who came.
        private void Close()
        {
            lock (_deadlines._lock)
            {
                _isClosed = true;
                if (_deadlines._open == this)
                {
                    _deadlines._open = null;
                }

                _joining.Dispose();
                _source.CancelAfter(Time);
                StopIfUnused();
            }
        }

        private void StopIfUnused()
        {
            if (_isClosed && Handshakes == 0)
            {
                _source.Dispose();
            }
        }
    }
}
