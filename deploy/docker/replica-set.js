// Run by mongosh as the health check: makes the one node a replica set the first time, healthy once it takes writes.
const state = db.hello()
if (!state.setName) {
  try {
    rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] })
  } catch (error) {
    // Two checks may overlap: the second finds it done.
    if (error.codeName !== 'AlreadyInitialized') throw error
  }
}
quit(state.isWritablePrimary && state.setName === 'rs0' ? 0 : 1)
