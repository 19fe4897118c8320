using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls;

/// <summary>Options of <see cref="ServerCredentialFiles"/>.</summary>
public sealed class ServerCredentialFilesOptions
{
    private readonly TimeSpan _interval = TimeSpan.FromSeconds(10);

    /// <summary>How often the files are looked at, from 1 ms to 24 days, or <see cref="Timeout.InfiniteTimeSpan"/>: only by <see cref="ServerCredentialFiles.Reload"/>. Default: 10 seconds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive and not infinite, or too long for a timer.</exception>
    public TimeSpan Interval
    {
        get => _interval;
        init
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(24));
            }

            _interval = value;
        }
    }

    /// <inheritdoc cref="ServerCredentials.RefusesUnknownNames"/>
    public bool RefusesUnknownNames { get; init; }

    /// <summary>Where reloads and their failures are logged. Default: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>The clock of <see cref="Interval"/>. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
