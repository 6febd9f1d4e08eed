namespace TypedLambda

inductive Ty where
  | base : Ty
  | arrow : Ty → Ty → Ty

inductive Term where
  | var : Nat → Term
  | app : Term → Term → Term
  | lam : Ty → Term → Term

def lift (ρ : Nat → Nat) : Nat → Nat
  | 0 => 0
  | i + 1 => ρ i + 1

def rename (ρ : Nat → Nat) : Term → Term
  | .var i => .var (ρ i)
  | .app s t => .app (rename ρ s) (rename ρ t)
  | .lam τ t => .lam τ (rename (lift ρ) t)

def up (σ : Nat → Term) : Nat → Term
  | 0 => .var 0
  | i + 1 => rename (· + 1) (σ i)

def subst (σ : Nat → Term) : Term → Term
  | .var i => σ i
  | .app s t => .app (subst σ s) (subst σ t)
  | .lam τ t => .lam τ (subst (up σ) t)

def single (s : Term) : Nat → Term
  | 0 => s
  | i + 1 => .var i

inductive HasType : List Ty → Term → Ty → Prop where
  | var {Γ i τ} : Γ[i]? = some τ → HasType Γ (.var i) τ
  | app {Γ s t σ τ} : HasType Γ s (.arrow σ τ) → HasType Γ t σ → HasType Γ (.app s t) τ
  | lam {Γ σ t τ} : HasType (σ :: Γ) t τ → HasType Γ (.lam σ t) (.arrow σ τ)

inductive Step : Term → Term → Prop where
  | beta (τ t s) : Step (.app (.lam τ t) s) (subst (single s) t)
  | appL {s s' t} : Step s s' → Step (.app s t) (.app s' t)
  | appR {s t t'} : Step t t' → Step (.app s t) (.app s t')
  | lam {τ t t'} : Step t t' → Step (.lam τ t) (.lam τ t')

theorem rename_typed {Γ Δ : List Ty} {t : Term} {τ : Ty} {ρ : Nat → Nat} (h : HasType Γ t τ)
    (hρ : ∀ i τ, Γ[i]? = some τ → Δ[ρ i]? = some τ) : HasType Δ (rename ρ t) τ := by
  induction h generalizing Δ ρ with
  | var h => exact .var (hρ _ _ h)
  | app _ _ ihs iht => exact .app (ihs hρ) (iht hρ)
  | lam _ ih =>
    refine .lam (ih fun i τ hi => ?_)
    cases i with
    | zero => simpa [lift] using hi
    | succ i => simpa [lift] using hρ i τ (by simpa using hi)

theorem subst_typed {Γ Δ : List Ty} {t : Term} {τ : Ty} {σ : Nat → Term} (h : HasType Γ t τ)
    (hσ : ∀ i τ, Γ[i]? = some τ → HasType Δ (σ i) τ) : HasType Δ (subst σ t) τ := by
  induction h generalizing Δ σ with
  | var h => exact hσ _ _ h
  | app _ _ ihs iht => exact .app (ihs hσ) (iht hσ)
  | lam _ ih =>
    refine .lam (ih fun i τ hi => ?_)
    cases i with
    | zero => exact .var (by simpa using hi)
    | succ i => exact rename_typed (hσ i τ (by simpa using hi)) (fun j τ hj => by simpa using hj)

theorem preservation {Γ : List Ty} {s t : Term} {τ : Ty} (hs : Step s t) (h : HasType Γ s τ) :
    HasType Γ t τ := by
  induction hs generalizing Γ τ with
  | beta σ t s =>
    cases h with
    | app hf hs =>
      cases hf with
      | lam ht =>
        refine subst_typed ht fun i τ hi => ?_
        cases i with
        | zero =>
          simp at hi
          subst hi
          exact hs
        | succ i => exact .var (by simpa using hi)
  | appL _ ih => cases h with | app hf hs => exact .app (ih hf) hs
  | appR _ ih => cases h with | app hf hs => exact .app hf (ih hs)
  | lam _ ih => cases h with | lam ht => exact .lam (ih ht)

theorem progress {t : Term} {τ : Ty} (h : HasType [] t τ) :
    (∃ σ body, t = .lam σ body) ∨ ∃ t', Step t t' := by
  generalize hΓ : ([] : List Ty) = Γ at h
  induction h with
  | var h =>
    subst hΓ
    simp at h
  | lam _ _ => exact .inl ⟨_, _, rfl⟩
  | app _ _ ihs _ =>
    right
    rcases ihs hΓ with ⟨σ, body, rfl⟩ | ⟨s', hs⟩
    · exact ⟨_, .beta _ _ _⟩
    · exact ⟨_, .appL hs⟩

theorem type_unique {Γ : List Ty} {t : Term} {σ τ : Ty} (h1 : HasType Γ t σ) (h2 : HasType Γ t τ) :
    σ = τ := by
  induction h1 generalizing τ with
  | var h =>
    cases h2 with
    | var h' =>
      rw [h] at h'
      exact Option.some.inj h'
  | app _ _ ihs _ =>
    cases h2 with
    | app hf _ =>
      have := ihs hf
      cases this
      rfl
  | lam _ ih =>
    cases h2 with
    | lam ht => rw [ih ht]

end TypedLambda
