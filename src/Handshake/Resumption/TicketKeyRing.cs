using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;

namespace KTls.Handshake;

/// <summary>
/// Seals session tickets so that the server need not remember sessions (RFC 8446 §4.6.1, RFC 5077), and opens them again. The
/// first key seals, all open. A ring makes and rotates keys of its own, or holds those that several servers share. For many
/// handshakes at once.
/// </summary>
public sealed class TicketKeyRing
{
    /// <summary>How long keys of a ring's own seal when nothing else is said: one hour.</summary>
    public static readonly TimeSpan DefaultRotation = TimeSpan.FromHours(1);

    // Each ticket gets a key of its own, made of the ring's key and a salt: random nonces of 96 bits would limit the tickets a key may seal.
    private const int KeyLength = 32;

    private readonly Lock _rotating = new();
    private readonly TimeProvider _clock;
    private readonly TimeSpan? _rotation;
    private readonly ITimer? _timer;
    private TicketKey[] _keys;
    private DateTimeOffset _rotateAt;

    /// <summary>Makes a ring with random keys of its own: tickets hold as long as the process, and at least <paramref name="rotation"/>.</summary>
    /// <param name="rotation">How long a key seals, and how long after that it still opens, positive; null: <see cref="DefaultRotation"/>.</param>
    /// <param name="clock">The clock; null: the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rotation"/> is not positive.</exception>
    public TicketKeyRing(TimeSpan? rotation = null, TimeProvider? clock = null)
    {
        _rotation = rotation ?? DefaultRotation;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_rotation.Value, TimeSpan.Zero, nameof(rotation));
        _clock = clock ?? TimeProvider.System;
        _keys = [TicketKey.Create()];
        _rotateAt = _clock.GetUtcNow() + _rotation.Value;
        _timer = StartTimer(_rotation.Value);
    }

    /// <summary>Makes a ring with keys that several servers share; whoever shares them rotates them with <see cref="Replace"/>.</summary>
    /// <param name="keys">The key that seals, then older or coming ones that open, too. They are copied: the caller disposes them.</param>
    /// <exception cref="ArgumentException">There is no key.</exception>
    public TicketKeyRing(IEnumerable<TicketKey> keys)
    {
        _clock = TimeProvider.System;
        _keys = Copy(keys);
    }

    /// <summary>Puts other keys in the place of all; tickets under keys that are gone are not accepted any more.</summary>
    /// <param name="keys">The key that seals, then older or coming ones that open, too. They are copied: the caller disposes them.</param>
    /// <exception cref="ArgumentException">There is no key.</exception>
    /// <exception cref="InvalidOperationException">The ring rotates keys of its own.</exception>
    public void Replace(IEnumerable<TicketKey> keys)
    {
        if (_rotation is not null)
        {
            throw new InvalidOperationException("This ring makes and rotates its keys itself.");
        }

        TicketKey[] copies = Copy(keys);
        lock (_rotating)
        {
            Use(copies);
        }
    }

    /// <summary>Seals a session.</summary>
    internal byte[] Seal(ReadOnlySpan<byte> state, ClockReading reading = default)
    {
        while (true)
        {
            try
            {
                return Seal(Current(reading)[0], state);
            }
            catch (ObjectDisposedException)
            {
                // The keys have just changed. This one is gone with others in its place.
            }
        }
    }

    private static byte[] Seal(TicketKey key, ReadOnlySpan<byte> state)
    {
        byte[] ticket = new byte[TicketKey.NameLength + TicketKey.SaltLength + state.Length + CipherSuite.TagLength];
        key.Name.CopyTo(ticket);
        Span<byte> salt = ticket.AsSpan(TicketKey.NameLength, TicketKey.SaltLength);
        RandomNumberGenerator.Fill(salt);
        Span<byte> body = ticket.AsSpan(TicketKey.NameLength + TicketKey.SaltLength);
        Span<byte> nonce = stackalloc byte[CipherSuite.NonceLength];
        nonce.Clear();
        using Aead aead = AeadOf(key, salt, isSealing: true);
        try
        {
            // Sealed at once: the collector may copy the ticket at any time.
            state.CopyTo(body);
            aead.Encrypt(nonce, body[..state.Length], body[state.Length..], key.Name);
            return ticket;
        }
        catch
        {
            CryptographicOperations.ZeroMemory(body);
            throw;
        }
    }

    /// <summary>Opens a ticket; null when no key of the ring has sealed it.</summary>
    /// <returns>The session, which the caller zeroes.</returns>
    internal byte[]? TryOpen(ReadOnlySpan<byte> ticket, ClockReading reading = default)
    {
        if (ticket.Length < TicketKey.NameLength + TicketKey.SaltLength + CipherSuite.TagLength)
        {
            return null;
        }

        ReadOnlySpan<byte> name = ticket[..TicketKey.NameLength];
        foreach (TicketKey key in Current(reading))
        {
            if (name.SequenceEqual(key.Name))
            {
                try
                {
                    return TryOpen(key, ticket[TicketKey.NameLength..]);
                }
                catch (ObjectDisposedException)
                {
                    // The keys have just changed, and this one opens no more.
                    return null;
                }
            }
        }

        return null;
    }

    private static byte[]? TryOpen(TicketKey key, ReadOnlySpan<byte> saltAndBody)
    {
        ReadOnlySpan<byte> body = saltAndBody[TicketKey.SaltLength..];
        byte[] state = body[..^CipherSuite.TagLength].ToArray();
        Span<byte> nonce = stackalloc byte[CipherSuite.NonceLength];
        nonce.Clear();
        using Aead aead = AeadOf(key, saltAndBody[..TicketKey.SaltLength], isSealing: false);
        return aead.TryDecrypt(nonce, state, body[state.Length..], key.Name) ? state : null;
    }

    private static Aead AeadOf(TicketKey key, ReadOnlySpan<byte> salt, bool isSealing)
    {
        Span<byte> derived = stackalloc byte[KeyLength];
        try
        {
            key.Derive(salt, derived);
            return Aead.Create(AeadAlgorithm.AesGcm, derived, isSealing);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    private static TicketKey[] Copy(IEnumerable<TicketKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        TicketKey[] copies = [.. keys.Select(key => key.Copy())];
        return copies.Length != 0 ? copies : throw new ArgumentException("A ring needs a key.", nameof(keys));
    }

    private TicketKey[] Current(ClockReading reading)
    {
        if (_rotation is { } rotation && reading.On(_clock) >= _rotateAt)
        {
            Rotate(rotation);
        }

        return Volatile.Read(ref _keys);
    }

    // A server that has nothing to do must not keep a key for longer. The timer looks more often than it has to where a key lasts long, and keeps no ring alive.
    private ITimer StartTimer(TimeSpan rotation)
    {
        var ring = new WeakReference<TicketKeyRing>(this);
        ITimer? timer = null;
        void Look(object? state)
        {
            if (!ring.TryGetTarget(out TicketKeyRing? alive))
            {
                timer?.Dispose();
            }
            else
            {
                alive.Rotate(rotation);
            }
        }

        var period = TimeSpan.FromTicks(Math.Clamp(rotation.Ticks, TimeSpan.TicksPerSecond, TimeSpan.TicksPerDay));

        // Not with the context of whoever makes the ring.
        using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        return timer = _clock.CreateTimer(Look, state: null, period, period);
    }

    private void Rotate(TimeSpan rotation)
    {
        lock (_rotating)
        {
            DateTimeOffset now = _clock.GetUtcNow();
            if (now < _rotateAt)
            {
                return;
            }

            // The last key goes on opening for as long as it sealed, unless nobody has asked for so long that it is too old.
            TicketKey[] keys = now < _rotateAt + rotation ? [TicketKey.Create(), _keys[0]] : [TicketKey.Create()];
            Use(keys);
            _rotateAt = now + rotation;
        }
    }

    // Keys that drop out are zeroed at once: whoever finds them opens what they have sealed.
    private void Use(TicketKey[] keys)
    {
        TicketKey[] before = _keys;
        Volatile.Write(ref _keys, keys);
        foreach (TicketKey key in before.Except(keys))
        {
            key.Dispose();
        }
    }
}
