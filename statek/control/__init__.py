"""From compiled files to the head of releases: plan, apply, reload, status.

Only this ring writes releases. It decides in pure functions (`plan`, `status`) and acts in few (`apply`, `reload`);
it never opens the store and never runs user code: trying a release out is the job of a callable it is given.
"""
