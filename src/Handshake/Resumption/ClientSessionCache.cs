namespace KTls.Handshake;

/// <summary>Keeps a client's sessions in this process: a bounded number, the oldest leave first.</summary>
public sealed class ClientSessionCache : IClientSessionStore
{
    /// <summary>How many servers' sessions are kept when nothing else is said.</summary>
    public const int DefaultCapacity = 1000;

    // A browser opens as many connections at once; a server that sends more tickets sends them in vain.
    private const int SessionsPerKey = 8;

    private readonly Lock _access = new();
    private readonly Dictionary<string, Entry> _sessions = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _byAge = new();
    private readonly int _capacity;
    private readonly TimeProvider _clock;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="capacity">The most servers (keys), at least 1.</param>
    /// <param name="clock">The clock; null: the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is less than 1.</exception>
    public ClientSessionCache(int capacity = DefaultCapacity, TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _capacity = capacity;
        _clock = clock ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public void Add(string key, ClientSession session)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(session);
        lock (_access)
        {
            if (!_sessions.TryGetValue(key, out Entry entry))
            {
                if (_sessions.Count == _capacity)
                {
                    RemoveEntry(_byAge.First!.Value);
                }

                _sessions[key] = entry = new Entry([], _byAge.AddLast(key));
            }

            // A TLS 1.2 session serves again and again: one is enough.
            List<ClientSession> list = entry.Sessions;
            if (list.Count == SessionsPerKey || (list.Count != 0 && !list[^1].IsForOneUse))
            {
                list[0].Dispose();
                list.RemoveAt(0);
            }

            list.Add(session);
        }
    }

    /// <inheritdoc/>
    public ClientSession? Take(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        lock (_access)
        {
            if (!_sessions.TryGetValue(key, out Entry entry))
            {
                return null;
            }

            List<ClientSession> list = entry.Sessions;
            while (list.Count != 0)
            {
                // The newest lives longest.
                ClientSession session = list[^1];
                if (_clock.GetUtcNow() < session.ExpiresAt)
                {
                    return HandOut(key, list, session);
                }

                list.RemoveAt(list.Count - 1);
                session.Dispose();
            }

            RemoveEntry(key);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        lock (_access)
        {
            RemoveEntry(key);
        }
    }

    private ClientSession HandOut(string key, List<ClientSession> list, ClientSession session)
    {
        if (!session.IsForOneUse)
        {
            return session.Copy();
        }

        list.RemoveAt(list.Count - 1);
        if (list.Count == 0)
        {
            RemoveEntry(key);
        }

        return session;
    }

    private void RemoveEntry(string key)
    {
        if (_sessions.Remove(key, out Entry entry))
        {
            entry.Sessions.ForEach(session => session.Dispose());
            _byAge.Remove(entry.Age);
        }
    }

    private readonly record struct Entry(List<ClientSession> Sessions, LinkedListNode<string> Age);
}
