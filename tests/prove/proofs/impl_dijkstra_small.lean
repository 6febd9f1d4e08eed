namespace ShortestWalk

/-- A directed edge with its length. -/
structure Edge where
  source : Nat
  target : Nat
  weight : Nat

/-- Walks along edges, with their whole length. -/
inductive Walk (edges : List Edge) : Nat → Nat → Nat → Prop where
  | stay (u) : Walk edges u u 0
  | go {u v d} (e : Edge) :
      e ∈ edges → e.source = u → Walk edges e.target v d → Walk edges u v (e.weight + d)

def least : Option Nat → Option Nat → Option Nat
  | none, b => b
  | some a, none => some a
  | some a, some b => some (min a b)

def via : Option Nat → Nat → Option Nat → Option Nat
  | some a, w, some b => some (a + w + b)
  | _, _, _ => none

def search : List Edge → Nat → Nat → Option Nat
  | [], u, v => if u = v then some 0 else none
  | e :: edges, u, v =>
    least (search edges u v) (via (search edges u e.source) e.weight (search edges e.target v))

/-- Length of a shortest walk from `u` to `v`, if there is any. -/
def distance (edges : List Edge) (u v : Nat) : Option Nat := search edges u v

def Within (o : Option Nat) (d : Nat) : Prop := ∃ x, o = some x ∧ x ≤ d

theorem within_least {a b : Option Nat} {d : Nat} :
    Within (least a b) d ↔ Within a d ∨ Within b d := by
  cases a <;> cases b <;> simp [least, Within]
  omega

theorem within_via {a b : Option Nat} {w d : Nat} :
    Within (via a w b) d ↔ ∃ x y, Within a x ∧ Within b y ∧ x + w + y ≤ d := by
  constructor
  · rintro ⟨z, hz, hd⟩
    cases a <;> cases b <;> simp [via] at hz
    rename_i x y
    exact ⟨x, y, ⟨x, rfl, Nat.le_refl _⟩, ⟨y, rfl, Nat.le_refl _⟩, by omega⟩
  · rintro ⟨x, y, ⟨a', rfl, ha⟩, ⟨b', rfl, hb⟩, h⟩
    exact ⟨a' + w + b', rfl, by omega⟩

theorem search_self (edges : List Edge) (u : Nat) : Within (search edges u u) 0 := by
  induction edges with
  | nil => exact ⟨0, by simp [search], Nat.le_refl _⟩
  | cons e edges ih => exact within_least.mpr (.inl ih)

theorem search_edge (edges : List Edge) (e : Edge) (v d : Nat) (he : e ∈ edges)
    (h : Within (search edges e.target v) d) : Within (search edges e.source v) (e.weight + d) := by
  induction edges generalizing v d with
  | nil => cases he
  | cons f edges ih =>
    have h := within_least.mp h
    apply within_least.mpr
    rcases List.mem_cons.mp he with rfl | he
    · right
      apply within_via.mpr
      rcases h with h | h
      · exact ⟨0, d, search_self _ _, h, by omega⟩
      · obtain ⟨x, y, _, hy, _⟩ := within_via.mp h
        exact ⟨0, y, search_self _ _, hy, by omega⟩
    · rcases h with h | h
      · exact .inl (ih v d he h)
      · obtain ⟨x, y, hx, hy, hd⟩ := within_via.mp h
        exact .inr (within_via.mpr ⟨e.weight + x, y, ih _ _ he hx, hy, by omega⟩)

theorem search_walk {edges : List Edge} {u v d : Nat} (h : Walk edges u v d) :
    Within (search edges u v) d := by
  induction h with
  | stay u => exact search_self edges u
  | go e he hs _ ih => exact hs ▸ search_edge edges e _ _ he ih

theorem Walk.more {edges : List Edge} {f : Edge} {u v d : Nat} (h : Walk edges u v d) :
    Walk (f :: edges) u v d := by
  induction h with
  | stay u => exact .stay u
  | go e he hs _ ih => exact .go e (List.mem_cons_of_mem _ he) hs ih

theorem Walk.append {edges : List Edge} {u v w c d : Nat} (h : Walk edges u v c)
    (h' : Walk edges v w d) : Walk edges u w (c + d) := by
  induction h with
  | stay u => simpa using h'
  | go e he hs _ ih =>
    rw [Nat.add_assoc]
    exact .go e he hs (ih h')

theorem walk_of_search (edges : List Edge) (u v d : Nat) (h : search edges u v = some d) :
    Walk edges u v d := by
  induction edges generalizing u v d with
  | nil =>
    unfold search at h
    split at h
    · rename_i same
      cases h
      subst same
      exact .stay u
    · cases h
  | cons e edges ih =>
    have either : search edges u v = some d ∨
        via (search edges u e.source) e.weight (search edges e.target v) = some d := by
      simp only [search] at h
      revert h
      cases search edges u v <;>
        cases via (search edges u e.source) e.weight (search edges e.target v) <;>
        simp [least]
      omega
    rcases either with h | h
    · exact (ih u v d h).more
    · cases ha : search edges u e.source with
      | none => simp [ha, via] at h
      | some a =>
        cases hb : search edges e.target v with
        | none => simp [ha, hb, via] at h
        | some b =>
          simp [ha, hb, via] at h
          subst h
          rw [Nat.add_assoc]
          exact (ih _ _ _ ha).more.append (.go e (by simp) rfl (ih _ _ _ hb).more)

theorem distance_some (edges : List Edge) (u v d : Nat) (h : distance edges u v = some d) :
    Walk edges u v d ∧ ∀ c, Walk edges u v c → d ≤ c := by
  refine ⟨walk_of_search edges u v d h, fun c w => ?_⟩
  obtain ⟨x, hx, hc⟩ := search_walk w
  rw [distance, hx] at h
  cases h
  exact hc

theorem distance_none (edges : List Edge) (u v : Nat) :
    distance edges u v = none ↔ ∀ d, ¬ Walk edges u v d := by
  constructor
  · intro h d w
    obtain ⟨x, hx, _⟩ := search_walk w
    rw [distance, hx] at h
    cases h
  · intro h
    cases hs : distance edges u v with
    | none => rfl
    | some d => exact absurd (walk_of_search edges u v d hs) (h d)

end ShortestWalk
