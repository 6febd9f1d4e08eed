namespace UnionFind

/-- Every number points to itself, a root, or to a smaller one. -/
structure Forest where
  parent : Nat → Nat
  le : ∀ i, parent i ≤ i

def root (f : Forest) (i : Nat) : Nat :=
  if f.parent i = i then i else root f (f.parent i)
termination_by i
decreasing_by
  have := f.le i
  omega

def single : Forest := ⟨id, fun _ => Nat.le_refl _⟩

def link (f : Forest) (a b : Nat) (h : a ≤ b) : Forest where
  parent i := if i = b then a else f.parent i
  le i := by
    split
    · omega
    · exact f.le i

def union (f : Forest) (a b : Nat) : Forest :=
  if h : root f a ≤ root f b then link f (root f a) (root f b) h
  else link f (root f b) (root f a) (by omega)

def build : List (Nat × Nat) → Forest
  | [] => single
  | (a, b) :: pairs => union (build pairs) a b

inductive Connected (pairs : List (Nat × Nat)) : Nat → Nat → Prop where
  | pair {a b} : (a, b) ∈ pairs → Connected pairs a b
  | refl (a) : Connected pairs a a
  | symm {a b} : Connected pairs a b → Connected pairs b a
  | trans {a b c} : Connected pairs a b → Connected pairs b c → Connected pairs a c

theorem parent_root (f : Forest) (i : Nat) : f.parent (root f i) = root f i := by
  fun_induction root f i with
  | case1 i h => exact h
  | case2 i h ih => exact ih

theorem root_link (f : Forest) (a b : Nat) (h : a ≤ b) (ha : f.parent a = a) (hb : f.parent b = b)
    (i : Nat) : root (link f a b h) i = if root f i = b then a else root f i := by
  have at_a : root (link f a b h) a = a := by
    rw [root]
    apply if_pos
    simp [link, ha]
  induction i using Nat.strongRecOn with
  | ind i ih =>
    by_cases hi : i = b
    · subst hi
      have here : root f i = i := by rw [root, if_pos hb]
      rw [here, if_pos rfl, root]
      have : (link f a i h).parent i = a := by simp [link]
      rw [this, at_a]
      split
      · rename_i e
        exact e.symm
      · rfl
    · have same : (link f a b h).parent i = f.parent i := by simp [link, hi]
      rw [root, same]
      by_cases hp : f.parent i = i
      · rw [if_pos hp, root, if_pos hp, if_neg hi]
      · rw [if_neg hp, ih _ (by have := f.le i; omega)]
        conv => rhs; rw [root, if_neg hp]

theorem root_union (f : Forest) (a b i j : Nat) :
    root (union f a b) i = root (union f a b) j ↔
      root f i = root f j ∨ ((root f i = root f a ∨ root f i = root f b) ∧
        (root f j = root f a ∨ root f j = root f b)) := by
  have ha := parent_root f a
  have hb := parent_root f b
  unfold union
  split
  · rw [root_link _ _ _ _ ha hb, root_link _ _ _ _ ha hb]
    split <;> split <;> omega
  · rw [root_link _ _ _ _ hb ha, root_link _ _ _ _ hb ha]
    split <;> split <;> omega

theorem Connected.weaken {pairs : List (Nat × Nat)} {p : Nat × Nat} {a b : Nat}
    (h : Connected pairs a b) : Connected (p :: pairs) a b := by
  induction h with
  | pair h => exact .pair (List.mem_cons_of_mem _ h)
  | refl a => exact .refl a
  | symm _ ih => exact ih.symm
  | trans _ _ ih1 ih2 => exact ih1.trans ih2

theorem root_single (i : Nat) : root single i = i := by
  rw [root]
  exact if_pos rfl

theorem root_eq_iff_connected (pairs : List (Nat × Nat)) (i j : Nat) :
    root (build pairs) i = root (build pairs) j ↔ Connected pairs i j := by
  constructor
  · induction pairs generalizing i j with
    | nil =>
      simp only [build, root_single]
      rintro rfl
      exact .refl i
    | cons p pairs ih =>
      obtain ⟨a, b⟩ := p
      simp only [build, root_union]
      have ab : Connected ((a, b) :: pairs) a b := .pair (by simp)
      have to : ∀ k, root (build pairs) k = root (build pairs) a ∨
          root (build pairs) k = root (build pairs) b → Connected ((a, b) :: pairs) k a := by
        rintro k (h | h)
        · exact (ih _ _ h).weaken
        · exact (ih _ _ h).weaken.trans ab.symm
      rintro (h | ⟨hi, hj⟩)
      · exact (ih _ _ h).weaken
      · exact (to i hi).trans (to j hj).symm
  · intro h
    induction h with
    | refl a => rfl
    | symm _ ih => exact ih.symm
    | trans _ _ ih1 ih2 => exact ih1.trans ih2
    | pair h =>
      rename_i a b
      induction pairs with
      | nil => cases h
      | cons p pairs ih =>
        obtain ⟨c, d⟩ := p
        simp only [build, root_union]
        rcases List.mem_cons.mp h with h | h
        · cases h
          right
          simp
        · exact .inl (ih h)

end UnionFind
