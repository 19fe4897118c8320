using KTls.Handshake;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KTls;

/// <summary>
/// Credentials from files, which are loaded again when they change. New connections get the new ones; those there are go on.
/// While new files cannot be used, because they are damaged, half written, or do not go together yet, the old credential
/// stays in use.
/// </summary>
/// <remarks>
/// Changes are seen by content, not by time stamps or notifications: these miss files that are replaced by symbolic links
/// higher up in the path, as in Kubernetes' secrets, or that lie in a network file system.
/// </remarks>
public sealed class ServerCredentialFiles : IDisposable
{
    private readonly Lock _reload = new();
    private readonly Entry[] _entries;
    private readonly PeriodicTimer? _timer;
    private readonly ILogger _logger;

    /// <summary>Loads the files.</summary>
    /// <param name="files">The files of each certificate; what their order means: see <see cref="ServerCredentials"/>.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="CredentialException">A file cannot be used; the message names it.</exception>
    /// <exception cref="ArgumentException">There are no files.</exception>
    public ServerCredentialFiles(IEnumerable<CertificateFiles> files, ServerCredentialFilesOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        options ??= new ServerCredentialFilesOptions();
        _logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("KTls.ServerCredentialFiles");
        _entries = [.. files.Select(each => new Entry(each))];
        Credentials = new ServerCredentials(_entries.Select(entry => entry.Credential)) { RefusesUnknownNames = options.RefusesUnknownNames };
        if (options.Interval != Timeout.InfiniteTimeSpan)
        {
            _timer = new PeriodicTimer(options.Interval, options.TimeProvider);
            _ = Task.Run(WatchAsync);
        }
    }

    /// <summary>Raised after new files are in use.</summary>
    public event Action<CertificateFiles>? Reloaded;

    /// <summary>
    /// Raised when changed files cannot be used, once for each such content; what was loaded before stays in use, unless it is only the OCSP response that cannot be
    /// used: then the certificate is used without one.
    /// </summary>
    public event Action<CertificateFiles, CredentialException>? ReloadFailed;

    /// <summary>The credentials, for <see cref="KTlsOptions.ServerCredentials"/>.</summary>
    public ServerCredentials Credentials { get; }

    /// <summary>Looks at the files now, and loads those that have changed.</summary>
    /// <returns>Whether there are new credentials in use.</returns>
    public bool Reload()
    {
        lock (_reload)
        {
            var loaded = new List<CertificateFiles>();
            var failed = new List<(CertificateFiles Files, CredentialException Failure)>();
            foreach (Entry entry in _entries)
            {
                if (entry.Reload(out CredentialException? failure))
                {
                    loaded.Add(entry.Files);
                }

                if (failure is not null)
                {
                    failed.Add((entry.Files, failure));
                }
            }

            // Before anything of a subscriber can fail.
            if (loaded.Count != 0)
            {
                Credentials.Replace(_entries.Select(entry => entry.Credential));
            }

            Tell(loaded, failed);
            return loaded.Count != 0;
        }
    }

    /// <summary>Looks at the files no more. The credentials can be used on.</summary>
    public void Dispose() => _timer?.Dispose();

    private void Tell(List<CertificateFiles> loaded, List<(CertificateFiles Files, CredentialException Failure)> failed)
    {
        foreach (CertificateFiles files in loaded)
        {
            Log.CredentialReloaded(_logger, files.Certificate);
            Reloaded?.Invoke(files);
        }

        foreach ((CertificateFiles files, CredentialException failure) in failed)
        {
            Log.CredentialNotReloaded(_logger, failure.Message);
            ReloadFailed?.Invoke(files, failure);
        }
    }

    private async Task WatchAsync()
    {
        while (await _timer!.WaitForNextTickAsync().ConfigureAwait(false))
        {
            try
            {
                Reload();
            }
            catch (Exception e)
            {
                // A subscriber's own failure must not end the watch.
                Log.CredentialNotReloaded(_logger, e.Message);
            }
        }
    }

    private sealed class Entry
    {
        // What was there at the last look, and whether all of it is in use. If not it is tried each time: a disk, or a limit of open files, may be behind it.
        private byte[] _seen;
        private bool _isInUse = true;

        public Entry(CertificateFiles files)
        {
            Files = files;

            // Before loading: what changes in between is seen the next time.
            _seen = FileFingerprint.Of(files.Paths);
            Credential = CertificateCredential.FromFiles(files);
        }

        public CertificateFiles Files { get; }

        public CertificateCredential Credential { get; private set; }

        /// <param name="failure">What cannot be used, and was not told yet.</param>
        /// <returns>Whether there is a new credential.</returns>
        public bool Reload(out CredentialException? failure)
        {
            failure = null;
            byte[] fingerprint = FileFingerprint.Of(Files.Paths);
            bool hasChanged = !fingerprint.AsSpan().SequenceEqual(_seen);
            if (!hasChanged && _isInUse)
            {
                return false;
            }

            _seen = fingerprint;
            CertificateCredential? loaded = Load(Files, out CredentialException? reason);
            _isInUse = loaded is not null;
            failure = hasChanged ? reason : null;
            if (!_isInUse && Files.OcspResponse is not null)
            {
                // A new certificate must not have to wait for its OCSP response until the one before has expired. One that is there already keeps the response
                // that it has, for as long as that is good.
                loaded = Load(WithoutOcspResponse(Files), out _);
                if (loaded?.Certificate.RawData.AsSpan().SequenceEqual(Credential.Certificate.RawData) == true)
                {
                    return false;
                }
            }

            Credential = loaded ?? Credential;
            return loaded is not null;
        }

        private static CertificateFiles WithoutOcspResponse(CertificateFiles files) => new()
        {
            Certificate = files.Certificate,
            PrivateKey = files.PrivateKey,
            Chain = files.Chain,
            Password = files.Password,
            ServerNames = files.ServerNames,
        };

        private static CertificateCredential? Load(CertificateFiles files, out CredentialException? reason)
        {
            try
            {
                reason = null;
                return CertificateCredential.FromFiles(files);
            }
            catch (Exception e)
            {
                // Whatever it is, the other credentials must not suffer.
                reason = e as CredentialException ?? new CredentialException($"{files.Certificate}: {e.Message}", e);
                return null;
            }
        }
    }
}
