namespace Kmp

/-- From `q` matched elements of the pattern, and the next one of the text, to how many match. -/
def next (pattern : List Nat) (q : Nat) (c : Nat) : Nat :=
  ((List.range (pattern.length + 1)).reverse.find?
    (fun k => (pattern.take k).isSuffixOf (pattern.take q ++ [c]))).getD 0

def scan (pattern : List Nat) : Nat → Nat → List Nat → Option Nat
  | _, _, [] => none
  | q, place, c :: text =>
    if next pattern q c = pattern.length then some (place + 1 - pattern.length)
    else scan pattern (next pattern q c) (place + 1) text

/-- Where the pattern occurs first, found in one pass that never goes back in the text. -/
def search (pattern text : List Nat) : Option Nat :=
  if pattern = [] then some 0 else scan pattern 0 0 text

theorem next_matches (pattern : List Nat) (q c : Nat) :
    next pattern q c ≤ pattern.length ∧
      pattern.take (next pattern q c) <:+ pattern.take q ++ [c] := by
  unfold next
  cases h : (List.range (pattern.length + 1)).reverse.find?
      (fun k => (pattern.take k).isSuffixOf (pattern.take q ++ [c])) with
  | none => simp
  | some k =>
    have inside := List.mem_of_find?_eq_some h
    have suffix := List.find?_some h
    simp at inside suffix
    exact ⟨by simp; omega, suffix⟩

theorem next_longest (pattern : List Nat) (q c k : Nat) (hk : k ≤ pattern.length)
    (h : pattern.take k <:+ pattern.take q ++ [c]) : k ≤ next pattern q c := by
  have largest : ∀ n, k < n → (h : pattern.take k <:+ pattern.take q ++ [c]) →
      k ≤ ((List.range n).reverse.find?
        (fun k => (pattern.take k).isSuffixOf (pattern.take q ++ [c]))).getD 0 := by
    intro n hn h
    induction n with
    | zero => omega
    | succ n ih =>
      rw [List.range_succ, List.reverse_append]
      simp only [List.reverse_cons, List.reverse_nil, List.nil_append, List.cons_append,
        List.find?_cons]
      cases found : (pattern.take n).isSuffixOf (pattern.take q ++ [c]) with
      | true =>
        show k ≤ n
        omega
      | false =>
        by_cases same : k = n
        · subst same
          rw [List.isSuffixOf_iff_suffix.mpr h] at found
          cases found
        · exact ih (by omega)
  exact largest _ (by omega) h

/-- `q` is the length of the longest beginning of the pattern that ends `read`. -/
def State (pattern read : List Nat) (q : Nat) : Prop :=
  q ≤ pattern.length ∧ pattern.take q <:+ read ∧
    ∀ k, k ≤ pattern.length → pattern.take k <:+ read → k ≤ q

theorem suffix_snoc {xs ys : List Nat} {c : Nat} (h : xs <:+ ys) : xs ++ [c] <:+ ys ++ [c] := by
  obtain ⟨zs, rfl⟩ := h
  exact ⟨zs, by simp⟩

theorem state_next {pattern read : List Nat} {q : Nat} (c : Nat) (h : State pattern read q) :
    State pattern (read ++ [c]) (next pattern q c) := by
  obtain ⟨hq, hs, hm⟩ := h
  have spec := next_matches pattern q c
  refine ⟨spec.1, spec.2.trans (suffix_snoc hs), fun k hk h => ?_⟩
  cases k with
  | zero => omega
  | succ j =>
    rw [List.take_succ_eq_append_getElem (by omega)] at h
    have parts := List.append_inj' (h.choose_spec.symm.trans (List.append_assoc _ _ _).symm) rfl
    have shorter : pattern.take j <:+ read := ⟨h.choose, parts.1.symm⟩
    have last : c = pattern[j] := by simpa using parts.2
    have inner : pattern.take j <:+ pattern.take q :=
      List.suffix_of_suffix_length_le shorter hs (by
        have := hm j (by omega) shorter
        simp
        omega)
    apply next_longest _ _ _ _ hk
    rw [List.take_succ_eq_append_getElem (by omega), last]
    exact suffix_snoc inner

theorem ends_here {pattern text : List Nat} {j : Nat} (h : pattern <+: text.drop j)
    (hp : pattern ≠ []) : pattern <:+ text.take (j + pattern.length) := by
  obtain ⟨rest, h⟩ := h
  refine ⟨text.take j, ?_⟩
  rw [List.take_add, ← h]
  simp

def IsFirst (pattern text : List Nat) : Option Nat → Prop
  | none => ∀ j, ¬ pattern <+: text.drop j
  | some i => pattern <+: text.drop i ∧ ∀ j, j < i → ¬ pattern <+: text.drop j

theorem scan_spec (pattern text : List Nat) (hp : pattern ≠ []) (read rest : List Nat) (q : Nat)
    (ht : text = read ++ rest) (hs : State pattern read q)
    (before : ∀ j, pattern <+: text.drop j → read.length < j + pattern.length) (out : Option Nat)
    (h : scan pattern q read.length rest = out) :
    IsFirst pattern text out := by
  have positive : 0 < pattern.length := List.length_pos_iff.mpr hp
  induction rest generalizing read q with
  | nil =>
    subst h
    simp only [scan]
    intro j h
    have late := before j h
    have := h.length_le
    rw [List.length_drop, ht, List.append_nil] at this
    omega
  | cons c rest ih =>
    have state := state_next c hs
    simp only [scan] at h
    split at h
    · rename_i all
      subst h
      rw [all] at state
      have suffix := state.2.1
      rw [List.take_length] at suffix
      obtain ⟨front, hf⟩ := suffix
      have lengths := congrArg List.length hf
      simp only [List.length_append, List.length_singleton] at lengths
      refine ⟨?_, fun j hj h => ?_⟩
      · rw [ht, show read ++ c :: rest = (read ++ [c]) ++ rest by simp, ← hf,
          show read.length + 1 - pattern.length = front.length by omega, List.append_assoc,
          List.drop_left]
        exact List.prefix_append _ _
      · have := before j h
        omega
    · rename_i missing
      refine ih (read ++ [c]) _ (by simp [ht]) state (fun j hj => ?_) (by simpa using h)
      have late := before j hj
      have ends := ends_here hj hp
      rw [List.length_append, List.length_singleton]
      by_cases now : j + pattern.length = read.length + 1
      · rw [now, ht, show read ++ c :: rest = (read ++ [c]) ++ rest by simp,
          show read.length + 1 = (read ++ [c]).length by simp, List.take_left] at ends
        have := state.2.2 pattern.length (Nat.le_refl _) (by rwa [List.take_length])
        have := state.1
        omega
      · omega

theorem state_start (pattern : List Nat) : State pattern [] 0 := by
  refine ⟨by omega, by simp, fun k hk h => ?_⟩
  have := h.length_le
  rw [List.length_take, List.length_nil] at this
  omega

theorem search_spec (pattern text : List Nat) (out : Option Nat) (h : search pattern text = out) :
    IsFirst pattern text out := by
  unfold search at h
  split at h
  · rename_i empty
    subst h empty
    exact ⟨List.nil_prefix, fun j hj => absurd hj (Nat.not_lt_zero j)⟩
  · rename_i hp
    have positive : 0 < pattern.length := List.length_pos_iff.mpr hp
    exact scan_spec pattern text hp [] text 0 rfl (state_start pattern)
      (fun j _ => by rw [List.length_nil]; omega) out h

theorem search_some (pattern text : List Nat) (i : Nat) (h : search pattern text = some i) :
    pattern <+: text.drop i ∧ ∀ j, j < i → ¬ pattern <+: text.drop j := search_spec pattern text _ h

theorem search_none (pattern text : List Nat) (h : search pattern text = none) (j : Nat) :
    ¬ pattern <+: text.drop j := search_spec pattern text _ h j

end Kmp
