using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls.Authentication;

/// <summary>Takes a client's session for one connection from the store, and puts new ones into it as they come.</summary>
internal sealed class SessionKeeper(IClientSessionStore store, string key, ILogger logger)
{
    /// <summary>What was decided of the server's certificate, if that is kept with the sessions.</summary>
    public KeptVerdict? Verdict { get; set; }

    public ClientSession? Take() => store.Take(key);

    /// <summary>A store of the user's own may fail. The connection has its keys by now, and goes on without the session.</summary>
    public void Keep(ClientSession session)
    {
        session.UserToken = Verdict;
        try
        {
            store.Add(key, session);
        }
        catch (Exception e)
        {
            session.Dispose();
            Log.SessionNotKept(logger, e);
        }
    }
}
