// The Replay tab.
export class ReplayView {
  constructor(container, addressOf) { this.container = container; this.addressOf = addressOf; }
  wanted() { return {}; }
  take() {}
}
